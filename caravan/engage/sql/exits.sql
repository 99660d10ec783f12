-- name: watch_exits
insert into exit_watches (traversal_id, account_id, plan_hash, exits, next_flip)
values (:traversal_id, :account_id, :plan_hash, :exits, :next_flip)
on conflict (traversal_id) do update set exits = excluded.exits, next_flip = excluded.next_flip;

-- name: unwatch_exits
-- What the account rested for is over too: it has left the node.
with closed as (
  update listeners set closed_at = :at where traversal_id = :traversal_id and closed_at is null
)
delete from exit_watches where traversal_id = :traversal_id;

-- name: exit_watch_of_traversal
-- Locked: whoever is about to note an exit is waited for. The traversal's open listeners first, as those lock
-- them who record something: listeners, then watches.
with listening as materialized (
  select id from listeners where traversal_id = :traversal_id and closed_at is null order by id for update
)
select edge, because from exit_watches
where traversal_id = :traversal_id and (select count(*) from listening) >= 0
for update;

-- name: exit_watches
-- Resting traversals of these accounts with no exit met yet.
select w.traversal_id, w.account_id, w.plan_hash, w.exits, w.next_flip, t.entered_at,
       a.attributes -> 'time_zone' as time_zone
from exit_watches w join traversals t on t.id = w.traversal_id join accounts a on a.id = w.account_id
where w.account_id = any(:account_ids::bigint[]) and w.edge is null
order by w.traversal_id for update of w;

-- name: note_look
update exit_watches set edge = :edge, because = :because, next_flip = :next_flip
where traversal_id = :traversal_id and edge is null;

-- name: share_accounts_beside
-- The accounts travelling whose exits may ask for other accounts of their people, some of which (`account_ids`) have
-- changed. Locked as by `share_accounts_touched`, for whom it is too; nothing is looked up or locked where no exit of
-- a journey asks so far.
with recursive far as materialized (
  select max(p.exits_reach) / 2 as hops from plans p join journeys j on j.plan_hash = p.hash
  where p.exits_reach > 1 and j.state in ('scheduled', 'live', 'closed')
), beside (id, hops) as (
  select given.id, 0 from far cross join unnest(:account_ids::bigint[]) as given (id)
  where case when far.hops > 0
             then (select pg_advisory_xact_lock_shared(hashtext(current_schema() || '.engagement')) is not null) end
  union
  select theirs.account_id, b.hops + 1
  from beside b cross join far
  join relations r on r.account_id = b.id
  join relations theirs on theirs.person_id = r.person_id
  where b.hops < far.hops
)
-- an array, so that they are found by index however many travel
select a.id from accounts a
where a.id = any(array(select id from beside where hops > 0 except select unnest(:account_ids::bigint[])))
  and (select true from traversals t where t.account_id = a.id and t.ended_at is null limit 1)
order by a.id for key share of a;
