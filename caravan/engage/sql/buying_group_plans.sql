-- What `caravan plan` asks: what documents say now, and how groups stand before and after a trial.

-- name: stored_documents_{table} for roles_templates, stage_models, score_models
select distinct on (slug) slug, version, body from {table} order by slug, version desc;

-- name: stored_interests
-- With how many groups each has.
select i.slug, i.roles_template, i.stage_model, i.qualified,
       (select count(*) from buying_groups g where g.solution_interest = i.slug) as groups
from solution_interests i order by i.slug;

-- name: stored_jobs
select slug, solution_interest, audience from buying_group_jobs where deleted_at is null order by slug;

-- name: active_score_model
select slug from score_models where active;

-- name: questioned_here
-- Whose groups this transaction has put in question.
select distinct account_id from buying_group_questions where xid = pg_current_xact_id() order by account_id;

-- name: accounts_without_group
-- Of these accounts: those that are here and would get a group of a solution interest by a job.
select a.id, a.deleted_at is null and coalesce(a.attributes ->> 'name', '') <> '' as fit,
       exists (select from buying_groups g where g.account_id = a.id and g.solution_interest = :solution_interest) as has
from accounts a where a.id = any(:account_ids::bigint[]);

-- name: groups_as_they_stand
-- `lacking`: it stands on a stage that the model it follows does not have.
select g.id, g.solution_interest, g.template_id, g.stage_model_id, g.stage, g.completeness,
       g.qualified_at is not null as qualified,
       g.stage is not null and m.id is not null
       and not jsonb_path_exists(m.body, '$.stages[*] ? (@.stage == $stage)', jsonb_build_object('stage', g.stage)) as lacking
from buying_groups g left join stage_models m on m.id = g.stage_model_id
where g.account_id = any(:account_ids::bigint[]) order by g.id;

-- name: members_as_they_stand
select m.group_id, m.person_id, m.role
from buying_groups g join buying_group_members m on m.group_id = g.id
where g.account_id = any(:account_ids::bigint[]) and m.removed_at is null;
