-- name: earlier_versions
-- That may have accounts inside, oldest first.
select id, version, plan_hash, leads_to, renamed,
       (select n.version from journeys n where n.id = j.leads_to) as leads_to_version
from journeys j
where kind = 'journey' and slug = :slug and version < :version and state in ('scheduled', 'live', 'closed')
order by version;

-- name: lead_to
-- Those inside a version move to another; said again, whoever could not is asked again.
update journeys set leads_to = :to_id, renamed = :renamed, lead_no = lead_no + 1 where id = :journey_id;

-- name: call_to_move
-- How many; each is woken: at rest it moves at once, elsewhere before the next node it comes to. Where the
-- version they move to has yet to start, it wakes them when it does (begin_due).
with inside as (
  select id from traversals where journey_id = any(:journey_ids::bigint[]) and ended_at is null
), called as (
  insert into wakeups (traversal_id, reason)
  select id, 'moved' from inside
  where exists (select from journeys where id = :to_id and state <> 'scheduled') order by id
)
select count(*) from inside;

-- name: empty_versions
update journeys set empties = true where id = any(:journey_ids::bigint[]);

-- name: version_to_move_to
-- Under a lock of the version it leaves, which whoever publishes or aborts waits for: so nobody changes
-- versions behind the back of who takes its accounts out.
select j.lead_no, j.renamed, n.id, n.version, n.plan_hash
from journeys j join journeys n on n.id = j.leads_to
where j.id = :journey_id and not j.empties and j.state <> 'aborted' and n.state not in ('scheduled', 'aborted')
for share of j;

-- name: move_traversal
-- What it rested for is asked anew by the other version. Listens that are over bear the new names, for
-- conditions ask who was heard at a node.
with stored as (
  insert into steps (traversal_id, step_no, node, kind, visit, arrived_at, outcome)
  values (:traversal_id, :step_no, :node, :kind, :visit, :arrived_at, :moved)
), listening as (
  delete from listeners where traversal_id = :traversal_id and closed_at is null
), heard as (
  update listeners set node = :renamed::jsonb ->> node
  where traversal_id = :traversal_id and closed_at is not null and :renamed::jsonb ? node
), watching as (
  delete from exit_watches where traversal_id = :traversal_id
)
update traversals set journey_id = :journey_id, state = :state, kept_no = null where id = :traversal_id;

-- name: keep_traversal
update traversals set kept_no = :lead_no where id = :traversal_id;

-- name: standing
-- How many accounts stand at each node of these versions; midway: in the middle of what the node does.
select t.journey_id, t.state ->> 'position' as node, coalesce((t.state ->> 'segment')::integer, 0) > 0 as midway,
       count(*) as accounts
from traversals t where t.journey_id = any(:journey_ids::bigint[]) and t.ended_at is null
group by 1, 2, 3;

-- name: standing_at
select a.external_id as account, t.state ->> 'position' as node,
       coalesce((t.state ->> 'segment')::integer, 0) > 0 as midway
from traversals t join accounts a on a.id = t.account_id
where t.journey_id = :journey_id and t.ended_at is null and t.state ->> 'position' = any(:nodes::text[])
order by t.id;

-- name: insert_copy
insert into live_copies (journey_id, copy, template, body, published_at)
select :journey_id::bigint, coalesce(max(copy), 0) + 1, :template, :body, :at from live_copies where journey_id = :journey_id
returning copy;

-- name: note_copies
-- Messages of this version that are not written yet are written with them.
update journeys set copies_hash = :copies_hash where id = :journey_id;

-- name: live_copies
-- The latest of each template.
select distinct on (template) template, copy, body from live_copies
where journey_id = :journey_id order by template, copy desc;

-- name: running_versions_that_send
-- Campaigns that may be requested too.
select j.id, j.slug, j.version, j.plan_hash from journeys j join plans p on p.hash = j.plan_hash
where j.state in ('scheduled', 'live', 'closed') and j.deleted_at is null
  and p.body #> array['templates', :template::text] is not null
order by j.kind, j.slug, j.version
for no key update of j;
