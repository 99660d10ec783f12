-- name: buying_groups_page
-- The groups that pass all filters, the next so many by id: whoever reads them all goes on from the last
-- id, so that neither a hundred thousand of them nor a slow reader hold a transaction open. A filter that
-- is null asks nothing. Roles are unassigned where the version that the group follows has them and nobody
-- has: one of those asked for is enough.
with page as (
  select g.*, a.external_id as account, a.attributes ->> 'name' as name
  from buying_groups g
  -- account by account, by their keys: all of them once for each page is what a join would do
  cross join lateral (select * from accounts where accounts.id = g.account_id offset 0) a
  where g.id > :after and a.deleted_at is null
    and (:ids::bigint[] is null or g.id = any(:ids::bigint[]))
    and (:account::text is null or a.external_id = :account::text)
    and (:solution_interest::text is null or g.solution_interest = :solution_interest::text)
    and (:stage::text is null or casefold(g.stage) = casefold(:stage::text))
    and (:status::text is null or casefold(g.status) = casefold(:status::text))
    and (:min_completeness::numeric is null or g.completeness >= :min_completeness::numeric)
    and (:max_completeness::numeric is null or g.completeness <= :max_completeness::numeric)
    and (:min_engagement::numeric is null or g.engagement >= :min_engagement::numeric)
    and (:max_engagement::numeric is null or g.engagement <= :max_engagement::numeric)
    and (:qualified::boolean is null or (g.qualified_at is not null) = :qualified::boolean)
    and (:roles_template::text is null
         or g.template_id in (select id from roles_templates where slug = :roles_template::text))
    and (:unassigned::text[] is null or exists (
      select from template_roles r
      where r.template_id = g.template_id and r.role = any(:unassigned::text[]) and not exists (
        select from buying_group_members m
        where m.group_id = g.id and m.role = r.role and m.removed_at is null)))
  order by g.id limit :limit
)
select page.id, page.account_id, page.account, page.name, page.solution_interest, page.stage, page.stage_at, page.status,
       page.status_at, page.completeness, page.engagement, page.qualified_at, page.created_at, page.kept_at,
       t.slug as roles_template, t.version as roles_template_version, sm.slug as stage_model, sm.version as stage_model_version,
       filled.members, coalesce(empty.roles, '{}') as empty_roles
from page join roles_templates t on t.id = page.template_id
left join stage_models sm on sm.id = page.stage_model_id
cross join lateral (
  select count(*) as members, array_agg(m.role) as roles
  from buying_group_members m where m.group_id = page.id and m.removed_at is null
) filled
cross join lateral (
  select array_agg(r.role order by r.priority) as roles
  from template_roles r where r.template_id = page.template_id and not r.role = any(coalesce(filled.roles, '{}'))
) empty
order by page.id;

-- name: buying_group_named
-- By its number, or by the account's outside id and the solution interest.
select g.id from buying_groups g join accounts a on a.id = g.account_id
where g.id = :id::bigint or (a.external_id = :account::text and g.solution_interest = :solution_interest::text);

-- name: interests_of_account
-- The solution interests an account has groups of.
select g.solution_interest from buying_groups g join accounts a on a.id = g.account_id
where a.external_id = :account order by 1;

-- name: buying_group_members_shown
select m.person_id, p.external_id as person, p.attributes, m.role, m.source, m.added_at, m.removed_at,
       coalesce(e.score, 0) as score
from buying_group_members m join people p on p.id = m.person_id
left join buying_groups g on g.id = m.group_id
left join template_roles r on r.template_id = g.template_id and r.role = m.role
left join engagement_people e on e.person_id = m.person_id
where m.group_id = :group_id and (:removed::boolean or m.removed_at is null)
order by m.removed_at nulls first, r.priority nulls last, e.score desc nulls last, m.person_id;

-- name: buying_group_roles
-- The roles of the version a group follows, with what they need and have.
select r.role, r.weight, r.required, r.members_required,
       count(m.person_id) as people
from buying_groups g join template_roles r on r.template_id = g.template_id
left join buying_group_members m on m.group_id = g.id and m.role = r.role and m.removed_at is null
where g.id = :group_id
group by r.role, r.weight, r.required, r.members_required, r.priority order by r.priority;

-- name: buying_group_history_shown
-- `lasted`: until the next of its kind, or until :at; what a group had is in `new`.
select h.what, h.old, h.new, h.at, h.source,
       lead(h.at) over (partition by h.what order by h.at, h.id) as until
from buying_group_history h where h.group_id = :group_id order by h.at, h.id;

-- name: groups_of_person
select g.id, a.external_id as account, g.solution_interest, m.role, m.source, m.added_at, m.removed_at,
       g.stage, g.completeness, g.engagement
from buying_group_members m join buying_groups g on g.id = m.group_id join accounts a on a.id = g.account_id
where m.person_id = :person_id order by m.removed_at nulls first, g.id;

-- name: buying_group_jobs_all
select id, slug, solution_interest, audience, flow_at, deleted_at
from buying_group_jobs order by deleted_at nulls first, slug;

-- name: groups_of_accounts
-- Of these accounts: how many have their group, how many of those were looked at, and when last.
select count(*) as made, count(g.kept_at) as kept, max(g.kept_at) as kept_at,
       count(*) filter (where exists (select from buying_group_questions q where q.account_id = g.account_id)) as waiting
from buying_groups g
where g.account_id = any(:account_ids::bigint[]) and g.solution_interest = :solution_interest;

-- name: accounts_in_question
select count(distinct account_id) from buying_group_questions;

-- name: known_solution_interests
select slug from solution_interests order by slug;

-- name: known_roles_templates
select distinct slug from roles_templates order by slug;

-- name: known_roles
-- Of the templates that groups follow or solution interests name.
select distinct r.role from template_roles r order by r.role;

-- name: known_stages
-- Of all stage models, and those that groups still stand on.
select distinct s ->> 'stage' as stage from stage_models m, jsonb_array_elements(m.body -> 'stages') s
union select distinct stage from buying_groups where stage is not null order by 1;
