-- name: buying_groups_wait
-- Whether there is anything to do: who has no buying groups pays for this question alone.
select exists (select from buying_group_questions where xid is null or xid < pg_snapshot_xmin(pg_current_snapshot()));

-- name: question_buying_groups
-- Something about these has changed that no activity tells, and that a job may look at.
insert into buying_group_questions (account_id)
select q.id
from (select unnest(:account_ids::bigint[]) as id
      union select account_id from relations where person_id = any(:person_ids::bigint[])) q
where exists (select from buying_group_jobs where deleted_at is null)
order by q.id;

-- name: question_accounts
-- As above, of accounts; answered once nobody writes any more who may not have seen the job.
insert into buying_group_questions (account_id, xid)
select a.id, pg_current_xact_id() from accounts a where a.id = any(:account_ids::bigint[]) order by a.id;

-- name: question_everybody
-- Every account of a job's audience, and every one that has a group which is kept up; `last`: the newest
-- question, so that the way to it can be followed.
with asked as (
  insert into buying_group_questions (account_id)
  select m.subject_id from audience_members m
  join buying_group_jobs j on j.audience = m.audience and j.deleted_at is null
  union
  select g.account_id from buying_groups g
  join buying_group_jobs j on j.solution_interest = g.solution_interest and j.deleted_at is null
  order by 1 returning id
)
select count(*) as accounts, coalesce(max(id), 0) as last from asked;

-- name: questions_waiting
select count(*) from buying_group_questions;

-- name: questions_until
select count(*) from buying_group_questions where id <= :last;

-- name: one_page
-- The stream and the daily run take turns, before they take a question. A page does what it saw; were it
-- overtaken by a page that saw more, it would undo that one's work, and nobody would ask again.
select pg_advisory_xact_lock(hashtext(current_schema() || '.upkeep'));

-- name: take_buying_group_questions
-- A queue: what a neighbour holds is skipped, not waited for.
delete from buying_group_questions
where id in (select id from buying_group_questions
             where xid is null or xid < pg_snapshot_xmin(pg_current_snapshot())
             order by id limit :limit for update skip locked)
returning account_id;

-- name: make_groups
-- For accounts of a job's audience that have none yet. In order: two pages that make the same ones wait for
-- each other and not both.
insert into buying_groups (account_id, solution_interest, template_id, stage_model_id, created_at)
select a.id, i.slug,
       (select id from roles_templates t where t.slug = i.roles_template order by version desc limit 1),
       (select id from stage_models s where s.slug = i.stage_model order by version desc limit 1), :at
from accounts a cross join solution_interests i
where a.id = any(:account_ids::bigint[]) and a.deleted_at is null and coalesce(a.attributes ->> 'name', '') <> ''
  and exists (select from buying_group_jobs j
              join audience_members m on m.audience = j.audience and m.subject_id = a.id
              where j.solution_interest = i.slug and j.deleted_at is null)
  and not exists (select from buying_groups g where g.account_id = a.id and g.solution_interest = i.slug)
order by a.id, i.slug
on conflict do nothing
returning account_id;

-- name: groups_to_keep
-- The groups of accounts that some job keeps up, with the versions they are to follow now. What is kept up is
-- looked up once, not for every group.
with kept as materialized (
  select i.slug,
         (select id from roles_templates t where t.slug = i.roles_template order by version desc limit 1) as template_id,
         (select id from stage_models s where s.slug = i.stage_model order by version desc limit 1) as stage_model_id
  from solution_interests i
  where exists (select from buying_group_jobs j where j.solution_interest = i.slug and j.deleted_at is null)
)
select g.id, g.account_id, g.solution_interest, k.template_id, k.stage_model_id
from unnest(:account_ids::bigint[]) as asked (id)
join accounts a on a.id = asked.id and a.deleted_at is null
join buying_groups g on g.account_id = a.id
join kept k on k.slug = g.solution_interest
order by g.id;

-- name: template_bodies
select id, body from roles_templates where id = any(:ids::bigint[]) order by id;

-- name: templates_asking_lists
-- The latest of those that jobs follow and that ask for lists of people: these may ask for other accounts of theirs.
select t.body
from solution_interests i
cross join lateral (select body from roles_templates where slug = i.roles_template
                    order by version desc limit 1) t
where i.slug in (select solution_interest from buying_group_jobs where deleted_at is null)
  and jsonb_path_exists(t.body, '$.** ? (@.kind == "list" && @.of == "people")');

-- name: lock_groups_to_keep
select id from buying_groups where id = any(:group_ids::bigint[]) order by id for no key update;

-- name: put_fitting
-- Whom the job may put where: nobody above it has had a say.
insert into buying_group_members as m (group_id, person_id, role, source, added_at)
select f.group_id, f.person_id, f.role, 'job', :at::timestamptz
from unnest(:group_ids::bigint[], :person_ids::bigint[], :roles::text[]) as f (group_id, person_id, role)
order by f.group_id, f.person_id
on conflict (group_id, person_id) do update
  set role = excluded.role, removed_at = null,
      added_at = case when m.removed_at is null then m.added_at else excluded.added_at end
  where m.source = 'job' and (m.removed_at is not null or m.role <> excluded.role)
returning group_id, person_id, role;

-- name: take_unfit_out
-- Whom no role fits any more leaves where the job has put them; who is not of the account any more leaves
-- in any case, by the job, so that they may come back.
update buying_group_members m set removed_at = :at, source = 'job'
from unnest(:group_ids::bigint[], :person_ids::bigint[], :gone::boolean[]) as u (group_id, person_id, gone)
where m.group_id = u.group_id and m.person_id = u.person_id and m.removed_at is null
  and (u.gone or m.source = 'job')
returning m.group_id, m.person_id, m.role;

-- name: mark_kept
-- Gives the accounts of those that follow another version from now on.
with marked as (
  update buying_groups g
  set template_id = k.template_id, stage_model_id = k.stage_model_id, kept_at = :at
  from unnest(:group_ids::bigint[], :template_ids::bigint[], :stage_model_ids::bigint[])
    as k (id, template_id, stage_model_id)
  where g.id = k.id
  returning g.account_id, (old.template_id, old.stage_model_id) is distinct from (new.template_id, new.stage_model_id) as moved
)
select account_id from marked where moved;

-- name: open_buying_group_jobs
select id, slug, solution_interest, audience, size, flow_at from buying_group_jobs
where deleted_at is null order by id;

-- name: note_job_size
update buying_group_jobs set size = :size where id = :id;

-- name: note_job_flow
update buying_group_jobs set flow_at = :at where id = :id;

-- name: intake_applied
select applied from cursors where stream = :stream;
