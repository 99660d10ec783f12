-- name: forget_steps
-- Of traversals that ended long ago, of journeys that no version runs of any more: what a running one may ask
-- for, and what its report counts, stays. So do the steps that sent, for `caravan prove`. What a model was told and said goes
-- with the steps it decided.
with old as (
  select t.id from traversals t
  where t.ended_at < :before and not t.steps_gone
    and not exists (select from journeys j where j.slug = t.slug and j.state in ('scheduled', 'live', 'closed'))
  order by t.id limit :limit for no key update skip locked
), marked as (
  update traversals t set steps_gone = true from old where t.id = old.id
), undecided as (
  delete from decisions d using old where d.traversal_id = old.id
)
delete from steps s using old where s.traversal_id = old.id and s.kind <> 'send' returning 1;

-- name: words_in_use
-- Every word that a journey which runs or may yet run, a dynamic list, a template or a score model says. Types of
-- events are among them; more than those does no harm.
with bodies as (
  select p.body::jsonb from journeys j join plans p on p.hash = j.plan_hash
  where j.state in ('draft', 'scheduled', 'live', 'closed') and j.deleted_at is null
  union all select condition::jsonb from lists where condition is not null
  union all select body::jsonb from roles_templates
  union all select body::jsonb from stage_models
  union all select body::jsonb from score_models
)
select distinct word from bodies cross join lateral (
  select w.value #>> '{}' as word from jsonb_path_query(body, '$.** ? (@.type() == "string")') as w (value)
  union
  select k.value #>> '{}' from jsonb_path_query(body, '$.** ? (@.type() == "object").keyvalue().key') as k (value)
) said;

-- name: forget_activities
with old as (
  select id from activities
  where at < :before and not type = any(:kept::text[])
    and (type <> all(:to_tell::text[]) or (xid, id) <= (:told_xid::text::xid8, :told_id::bigint))
  order by id limit :limit for update skip locked
)
delete from activities a using old where a.id = old.id returning 1;
