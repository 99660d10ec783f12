-- name: lock_versions
-- All of a slug, oldest first. Admission and whoever is about to hold an account share the row.
select id, version, state, paused_at, plan_hash, ends_at from journeys
where kind = 'journey' and slug = :slug and deleted_at is null
order by version for no key update;

-- name: pause_journeys
-- One that failures have stopped is the operator's from now on: their words would not be true for ever.
update journeys set paused_at = coalesce(paused_at, :at), paused_by = 'operator', paused_why = null
where id = any(:journey_ids::bigint[]) and (paused_at is null or paused_by = 'failures')
returning version;

-- name: resume_journeys
-- What has failed before is no reason to stop it again.
update journeys set paused_at = null, paused_by = null, paused_why = null, watched_from = :at
where id = any(:journey_ids::bigint[]) and paused_at is not null returning version;

-- name: set_journeys_state
update journeys set state = :state, paused_at = null, paused_by = null, paused_why = null where id = any(:journey_ids::bigint[]) returning version;

-- name: still_paused
-- Asked by an account about to be held, under a lock that whoever resumes waits for: then it is either seen
-- among the held, or sees that it may go on.
select paused_at is not null from journeys where id = :journey_id for share;

-- name: transaction_number
select pg_current_xact_id()::text;

-- name: looked_before
-- Whether a statement of ours still works with a snapshot from before a transaction.
select exists (select from pg_stat_activity
               where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
                 and age(backend_xmin) >= age(:number::text::xid8::xid));

-- name: began_before
-- Whether a transaction of ours that has written or locked began before another.
select exists (select from pg_stat_activity
               where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
                 and age(backend_xid) > age(:number::text::xid8::xid));

-- name: wake_held
-- The held that may go on, in order of arrival: their journey is not paused, and sending not halted.
with held as (
  select t.id, (t.state ->> 'arrived_at')::timestamptz as arrived_at
  from traversals t join journeys j on j.id = t.journey_id
  where t.held_at is not null and t.ended_at is null and j.paused_at is null and j.state <> 'aborted'
    and (t.held_for is distinct from 'halted' or not exists (select from sending_halt))
  order by arrived_at nulls first, t.id limit :limit
  for no key update of t
), freed as (
  update traversals t set held_at = null, held_for = null from held where t.id = held.id
)
insert into wakeups (traversal_id, reason)
select id, 'resumed' from held order by arrived_at nulls first, id
returning traversal_id;

-- name: to_be_taken_out
-- Who is inside an aborted journey, or a version that was published over for good.
select t.id, t.workflow_id, case when j.state = 'aborted' then 'aborted' else 'removed' end as reason
from traversals t join journeys j on j.id = t.journey_id
where (j.state = 'aborted' or j.empties) and t.ended_at is null and (:slug::text is null or j.slug = :slug)
order by t.id limit :limit
for no key update of t;

-- name: delete_drafts
delete from journeys where id = any(:journey_ids::bigint[]) and state = 'draft' returning version;

-- name: delete_campaigns
delete from campaigns where journey_id = any(:journey_ids::bigint[]);

-- name: delete_journeys
-- Out of every list. The rows stay: what was sent stays told, and entries count over all versions.
update journeys set deleted_at = :at where id = any(:journey_ids::bigint[]) returning version;

-- name: copy_campaigns
insert into campaigns (name, journey_id, position, body)
select name, :to_id, position, body from campaigns where journey_id = :from_id;
