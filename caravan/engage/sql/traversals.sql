-- name: lock_traversal
-- With its account: two stretches of one account take turns, recorders of activities pass (see
-- lock_account_to_listen). NO KEY UPDATE lets rows that refer to either be inserted meanwhile.
select t.id, t.journey_id, t.slug, t.account_id, t.entry, t.entered_at, t.state, t.epoch,
       t.ended_at, t.reason, t.label, j.plan_hash, j.deadline, j.version, j.paused_at is not null as paused,
       j.leads_to is not null and not j.empties and j.state <> 'aborted' and t.kept_no is distinct from j.lead_no
         and exists (select from journeys n where n.id = j.leads_to and n.state <> 'scheduled') as to_move,
       j.copies_hash, a.attributes as account, case when a.merged_into is not null then 'account-merged' when a.deleted_at is not null then 'account-deleted' end as gone, exists (select from sending_halt) as halted,
       (select munchkin from pair) as munchkin,
       (select hash from communication_limits) as limits_hash,
       -- what is recorded of people may count, or there are groups to change: see lock_ahead
       exists (select from buying_groups)
         or coalesce((select counted <> '{}' from engagement_scales order by id desc limit 1), false) as engages
from traversals t join journeys j on j.id = t.journey_id join accounts a on a.id = t.account_id
where t.id = :traversal_id
for no key update of t, a;

-- name: lock_account_to_listen
-- Registering a listener and recording an activity exclude each other per account: this lock
-- against the recorders' key share. Its own statement, so what follows sees what they committed.
select from accounts where id = :account_id for update;

-- name: stored_steps
-- From a step on; where the account has moved to another version since, from the last move on: what came
-- before is of a plan that its workflow need not follow any more.
select kind, outcome from steps
where traversal_id = :traversal_id
  and step_no >= coalesce((select max(m.step_no) from steps m
                           where m.traversal_id = :traversal_id and m.kind = 'migrate' and m.step_no >= :step_no),
                          :step_no)
order by step_no limit :limit;

-- name: store_steps
insert into steps (traversal_id, step_no, node, kind, visit, arrived_at, outcome, because)
select :traversal_id::bigint, step_no, node, kind, visit, arrived_at, outcome, because
from jsonb_populate_recordset(null::steps, :steps::jsonb);

-- name: save_position
with stored as (
  insert into steps (traversal_id, step_no, node, kind, visit, arrived_at, outcome, because)
  select :traversal_id::bigint, step_no, node, kind, visit, arrived_at, outcome, because
  from jsonb_populate_recordset(null::steps, :steps::jsonb)
)
update traversals
set state = :state, held_for = :held_for, held_at = case when :held_for::text is not null then coalesce(held_at, :at) end
where id = :traversal_id;

-- name: end_traversal
with stored as (
  insert into steps (traversal_id, step_no, node, kind, visit, arrived_at, outcome, because)
  select :traversal_id::bigint, step_no, node, kind, visit, arrived_at, outcome, because
  from jsonb_populate_recordset(null::steps, :steps::jsonb)
), ended as (
  update traversals
  set state = :state, ended_at = :at, reason = :reason, label = :label, epoch = epoch + 1, held_at = null, held_for = null
  where id = :traversal_id and ended_at is null
  returning slug, account_id
), listening as (
  update listeners set closed_at = :at where traversal_id = :traversal_id and closed_at is null
), watching as (
  delete from exit_watches where traversal_id = :traversal_id
)
update entries e set last_ended_at = :at from ended
where e.slug = ended.slug and e.account_id = ended.account_id;

-- name: close_traversals
-- The one way to end traversals from outside: nothing of theirs commits afterwards, for every
-- claim reads the epoch under its traversal's lock. Traversals are locked in order of id, then their
-- rows of entries in the order admission has: so none of us waits for one who waits for us.
with open as (
  select id from traversals where id = any(:traversal_ids::bigint[]) and ended_at is null
  order by id for no key update
), ended as (
  update traversals t
  set ended_at = :at, reason = :reason, epoch = epoch + 1, held_at = null, held_for = null
  from open where t.id = open.id
  returning t.id, t.slug, t.account_id
), unsent as (
  update ledger l set state = 'skipped', reason = 'journey-not-live', settled_at = :at
  from ended where l.traversal_id = ended.id and l.state in ('claimed', 'held', 'deferred')
), listening as (
  update listeners l set closed_at = :at from ended where l.traversal_id = ended.id and l.closed_at is null
), watching as (
  delete from exit_watches w using ended where w.traversal_id = ended.id
), entered as (
  update entries e set last_ended_at = :at
  from (select o.slug, o.account_id from ended join entries o using (slug, account_id)
        order by o.slug, o.account_id for update of o) locked
  where e.slug = locked.slug and e.account_id = locked.account_id
)
select id from ended;

-- name: lock_traversals_of
-- In order of id, and before the account: who serves one of them locks the account behind it.
select id from traversals
where account_id = :account_id and slug = any(:slugs::text[]) and ended_at is null
order by id for no key update;

-- name: open_traversal
-- Whether a journey runs at all, and the account's way through it.
select exists (select from journeys j where j.slug = :slug and j.state in ('scheduled', 'live', 'closed')) as runs,
       (select t.id from traversals t
        where t.slug = :slug and t.account_id = :account_id and t.ended_at is null) as id;

-- name: journey_to_enter
-- The version that takes entries now, and whether the account is inside the journey already.
select j.id, j.slug, j.version,
       exists (select from traversals t
               where t.slug = j.slug and t.account_id = :account_id and t.ended_at is null) as inside
from journeys j where j.slug = :slug and j.state = 'live' and j.starts_at <= :at and j.ends_at > :at;

-- name: gather_participants
-- The people of a node are those related to the account when it arrives there, by person id.
insert into participants (traversal_id, node, visit, person_id)
select :traversal_id::bigint, :node, :visit, r.person_id
from relations r join people p on p.id = r.person_id
where r.account_id = :account_id and r.deleted_at is null and p.deleted_at is null
order by r.person_id
on conflict do nothing;

-- name: position_counts
-- How many accounts came to each node and stand there now, for `journey show` and live progress. An account
-- arrives by an edge: where a move renames the node it stands at, or gives the visit another number, that is
-- no arrival, and the one it had is told under the new name.
with counted as (
  select id, ended_at is null as open, state ->> 'position' as position,
         (state -> 'visits' ->> (state ->> 'position'))::integer as visit
  from traversals where journey_id = any(:journey_ids::bigint[])
), served as (
  -- one row for an arrival: its last step
  select s.traversal_id, s.step_no, s.node, s.visit, s.outcome ->> 'edge' is not null as left_it,
         lead(s.step_no) over (partition by s.traversal_id order by s.step_no) is null as last
  from steps s join counted c on c.id = s.traversal_id
)
select s.node, count(*) filter (where s.visit > 0) as arrivals,
       count(*) filter (where c.open and c.position = s.node and c.visit = s.visit) as inside
from served s join counted c on c.id = s.traversal_id
where s.left_it or s.last
group by s.node;

-- name: path_counts
select s.node, s.outcome ->> 'edge' as edge, count(*) as accounts
from steps s join traversals t on t.id = s.traversal_id
where t.journey_id = any(:journey_ids::bigint[]) and s.outcome ->> 'edge' is not null
group by s.node, edge;

-- name: people_path_counts
select p.node, coalesce(p.path, '') as path, count(*) as people
from participants p join traversals t on t.id = p.traversal_id
where t.journey_id = any(:journey_ids::bigint[])
group by p.node, path;

-- name: exit_counts
select coalesce(reason, 'inside') as reason, label, count(*) as accounts
from traversals where journey_id = any(:journey_ids::bigint[])
group by reason, label order by accounts desc;

-- name: traversals_at
select t.id, t.slug, t.account_id, a.external_id, a.attributes ->> 'name' as name, t.entry, t.entered_at,
       t.state, t.state ->> 'position' as node, t.state -> 'pending' ->> 'until' as until, t.held_at, t.ended_at, t.reason, t.label, j.version
from traversals t join accounts a on a.id = t.account_id join journeys j on j.id = t.journey_id
where t.slug = :slug and (:node::text is null or (t.ended_at is null and t.state ->> 'position' = :node))
order by t.id limit :limit;

-- name: traversals_of_account
select t.id, t.slug, j.version, j.name, t.entry, t.entered_at, t.state, t.ended_at, t.reason, t.label,
       t.held_at, t.held_for, j.paused_at, j.paused_by, j.paused_why, t.workflow_id, j.plan_hash
from traversals t join journeys j on j.id = t.journey_id
where t.account_id = :account_id order by t.id;

-- name: history_of_traversal
select step_no, node, kind, visit, arrived_at, outcome, because
from steps where traversal_id = :traversal_id order by step_no;

-- name: participants_of_traversal
select p.node, p.visit, p.person_id, p.path, p.because, q.external_id
from participants p join people q on q.id = p.person_id
where p.traversal_id = :traversal_id order by p.node, p.visit, p.person_id;

-- name: ids_of_people_ever_of_account
-- Everyone whom the steps of an account may name, however many: also who has left since.
select id, external_id from people
where id in (select person_id from relations where account_id = :account_id);

-- name: ids_of_opportunities_of_account
-- Also those that are gone since.
select id, external_id from opportunities where account_id = :account_id;

-- name: unstarted_traversals
select t.id, t.workflow_id, t.account_id, t.slug, t.entry, t.entered_at, j.version, j.name as journey_name, j.plan_hash, p.mail_first,
       a.attributes ->> 'name' as account_name
from traversals t join journeys j on j.id = t.journey_id join accounts a on a.id = t.account_id
join plans p on p.hash = j.plan_hash
where t.journey_id = :journey_id and not t.started and t.ended_at is null
order by t.id limit :limit;

-- name: mark_started
update traversals set started = true, checked_at = :at where id = any(:traversal_ids::bigint[]);

-- name: traversals_to_check
select t.id, t.workflow_id, t.started
from traversals t
where t.ended_at is null and t.started and (t.checked_at is null or t.checked_at < :before)
order by t.checked_at nulls first, t.id limit :limit;

-- name: mark_checked
update traversals set checked_at = :at where id = any(:traversal_ids::bigint[]);

-- name: restart_traversals
update traversals set started = false where id = any(:traversal_ids::bigint[]) and ended_at is null;

-- name: traversals_by_workflow
select id, workflow_id from traversals
where workflow_id = any(:workflow_ids::text[]) and ended_at is null;

-- name: orphaned_traversals
-- Not started and nobody's to start: no admission runs for a journey that takes no more entries, nor
-- for a campaign.
select t.id, t.workflow_id, t.account_id, t.slug, t.entry, t.entered_at, j.version,
       j.name as journey_name, j.plan_hash, p.mail_first, a.attributes ->> 'name' as account_name
from traversals t join journeys j on j.id = t.journey_id join accounts a on a.id = t.account_id
join plans p on p.hash = j.plan_hash
where not t.started and t.ended_at is null and (j.state <> 'live' or j.ends_at <= :at or j.kind = 'campaign')
order by t.id limit :limit;

-- name: health
select (select count(*) from traversals where ended_at is null) as open_accounts,
       (select count(*) from admissions where due_at = queued_at) as to_admit,
       (select count(*) from wakeups) as to_wake,
       (select count(*) from ledger where state = 'in_doubt') as in_doubt,
       (select count(distinct slug) from journeys where paused_by = 'failures' and deleted_at is null) as stopped_by_failures,
       (select halted_at from sending_halt) as halted_at;
