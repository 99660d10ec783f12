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
