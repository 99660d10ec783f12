-- name: arm_listener
insert into listeners (traversal_id, step_no, account_id, purpose, node, plan_hash, types, field, from_at, until_at)
values (:traversal_id, :step_no, :account_id, :purpose, :node, :plan_hash, :types, :field, :from_at, :until_at)
returning id;

-- name: listener_of_step
-- Locked: whichever of signal, timer and event comes first decides, the others read its word.
select l.*, t.entered_at, a.attributes -> 'time_zone' as time_zone
from listeners l join traversals t on t.id = l.traversal_id join accounts a on a.id = l.account_id
where l.traversal_id = :traversal_id and l.purpose = :purpose
order by l.step_no desc limit 1 for update of l;

-- name: close_listener
update listeners set closed_at = :at, edge = :edge where id = :id and closed_at is null;

-- name: close_heard
-- With what each heard; one that is closed stays as it is.
update listeners l
set closed_at = :at, edge = h.edge, activity_id = h.activity_id, person_id = h.person_id, heard_at = h.heard_at
from unnest(:ids::bigint[], :edges::text[], :activity_ids::bigint[], :person_ids::bigint[], :heard_ats::timestamptz[])
  as h (id, edge, activity_id, person_id, heard_at)
where l.id = h.id and l.closed_at is null;

-- name: wake
insert into wakeups (traversal_id, reason) select unnest(:traversal_ids::bigint[]), :reason;

-- name: take_wakeups
-- A queue: a slow neighbour's rows are skipped, not waited for.
select w.id, w.traversal_id, t.workflow_id
from (select id, traversal_id from wakeups order by id for update skip locked limit :limit) w
join traversals t on t.id = w.traversal_id;

-- name: drop_wakeups
delete from wakeups where id = any(:ids::bigint[]);
