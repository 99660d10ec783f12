-- name: store_plan
insert into plans (hash, body, mail_first, exits_reach) values (:hash, :body, :mail_first, :exits_reach)
on conflict (hash) do nothing;

-- name: plan_body
select body from plans where hash = :hash;

-- name: one_publisher
-- Two publishers of one slug take turns; a slug that is new has no row they could lock.
select pg_advisory_xact_lock(hashtext(current_schema() || '.journey:' || :slug));

-- name: latest_version
-- Locked: its end may be noted meanwhile.
select id, version, state, plan_hash, name, audience, deleted_at is not null as deleted
from journeys where kind = 'journey' and slug = :slug
order by version desc limit 1 for update;

-- name: latest_published
select version, state from journeys
where kind = 'journey' and slug = :slug and state <> 'draft' and deleted_at is null
order by version desc limit 1;

-- name: insert_journey
insert into journeys (slug, version, name, state, plan_hash, audience, of_list, rules, entry_limit, starts_at, ends_at, deadline,
                      published_at)
values (:slug, :version, :name, :state, :plan_hash, :audience, :of_list, :rules, :entry_limit, :starts_at, :ends_at, :deadline,
        :published_at)
returning id;

-- name: replace_draft
update journeys set name = :name, plan_hash = :plan_hash, audience = :audience, of_list = :of_list, rules = :rules,
       entry_limit = :entry_limit
where id = :id;

-- name: publish_draft
update journeys set state = :state, starts_at = :starts_at, ends_at = :ends_at, deadline = :deadline,
       published_at = :published_at, paused_at = :paused_at, paused_by = :paused_by, paused_why = :paused_why,
       watched_from = :watched_from
where id = :id and state = 'draft';

-- name: close_earlier_versions
-- Gives since when they are paused and why: the version that follows stays so.
-- Their accounts travel on, on the version they entered; new ones enter the new version.
update journeys set state = 'closed' where slug = :slug and state in ('scheduled', 'live') and version < :version
returning paused_at, paused_by, paused_why, watched_from;

-- name: insert_campaign
insert into campaigns (name, journey_id, position, body) values (:name, :journey_id, :position, :body);

-- name: journeys
select j.*, (select count(*) from traversals t where t.journey_id = j.id and t.ended_at is null) as inside,
       (select count(*) from traversals t where t.journey_id = j.id) as entered,
       (select count(*) from traversals t where t.journey_id = j.id and t.reason = 'completed') as completed
from journeys j
where j.kind = 'journey' and (:slug::text is null or j.slug = :slug) and j.deleted_at is null order by j.slug, j.version;

-- name: journey_by_id
select * from journeys where id = :id;

-- name: running_journeys
select id, slug, version, name, audience, state, plan_hash, starts_at, ends_at, flow_at, segment_accounts, of_list
from journeys where kind = 'journey' and state = 'live' order by id;

-- name: begin_due
-- Scheduled journeys whose start has come. Whoever is inside an earlier version and is to move to one is woken.
with begun as (
  update journeys set state = 'live' where state = 'scheduled' and starts_at <= :at and ends_at > :at
  returning id, slug, version, flow_at
), called as (
  insert into wakeups (traversal_id, reason)
  select t.id, 'moved' from begun b join journeys e on e.leads_to = b.id and not e.empties and e.state <> 'aborted'
  join traversals t on t.journey_id = e.id and t.ended_at is null and t.kept_no is distinct from e.lead_no
  order by t.id
)
select * from begun;

-- name: close_ended
update journeys set state = 'closed' where state in ('scheduled', 'live') and ends_at <= :at;

-- name: finish_empty
-- Not while accounts of an earlier version are to move to it, nor while mail of it waits to be sent.
update journeys j set state = 'finished'
where state = 'closed' and not exists (select from traversals t where t.journey_id = j.id and t.ended_at is null)
  and not exists (select from journeys e join traversals t on t.journey_id = e.id
                  where e.leads_to = j.id and t.ended_at is null and t.kept_no is distinct from e.lead_no)
  and not exists (select from ledger l where l.journey_id = j.id and l.queued is not null
                    and l.state in ('held', 'deferred', 'claimed', 'handed_over'));

-- name: drop_vain_admissions
-- Who still waits at a journey that takes no more entries waits in vain.
delete from admissions a using journeys j
where j.id = a.journey_id and j.state in ('closed', 'finished', 'aborted');

-- name: note_segment
-- The first look at the audience tells who was in it already: a repeated one does not move it.
update journeys set segment_accounts = :accounts, segment_people = :people,
       segment_at = coalesce(segment_at, :at)
where id = :id;

-- name: note_flow
update journeys set flow_at = :at where id = :id and flow_at is null;

-- name: paused_journeys
-- One row a journey, by its latest version that is paused.
select distinct on (slug) slug, version, paused_at, paused_by, paused_why
from journeys where kind = 'journey' and paused_at is not null and deleted_at is null and state in ('scheduled', 'live', 'closed')
order by slug, version desc;
