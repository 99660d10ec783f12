-- name: one_storer
-- Whoever stores documents of buying groups takes turns.
select pg_advisory_xact_lock(hashtext(current_schema() || '.buying_groups'));

-- name: latest_{table} for roles_templates, stage_models, score_models
select distinct on (slug) id, slug, version, body from {table}
where slug = any(:slugs::text[]) order by slug, version desc;

-- name: insert_roles_template
insert into roles_templates (slug, version, body, denominator, stored_at)
values (:slug, :version, :body, :denominator, :at) returning id;

-- name: insert_template_roles
insert into template_roles (template_id, role, priority, weight, required, members_required, parts)
select :template_id::bigint, r.role, r.at - 1, r.weight, r.required, r.members_required, r.parts
from unnest(:roles::text[], :weights::integer[], :required::boolean[], :members_required::integer[], :parts::numeric[])
  with ordinality as r (role, weight, required, members_required, parts, at);

-- name: insert_stage_model
insert into stage_models (slug, version, body, stored_at) values (:slug, :version, :body, :at) returning id;

-- name: insert_score_model
insert into score_models (slug, version, body, stored_at) values (:slug, :version, :body, :at) returning id;

-- name: archive_score_models
update score_models set active = false where active and id <> :id;

-- name: activate_score_model
update score_models set active = true where id = :id and not active;

-- name: store_solution_interest
-- A row comes back where it is new or says something else than before.
insert into solution_interests as i (slug, roles_template, stage_model, qualified)
values (:slug, :roles_template, :stage_model, :qualified)
on conflict (slug) do update
  set roles_template = excluded.roles_template, stage_model = excluded.stage_model, qualified = excluded.qualified
  where (i.roles_template, i.stage_model, i.qualified)
        is distinct from (excluded.roles_template, excluded.stage_model, excluded.qualified)
returning slug;

-- name: store_job
-- One that is new, is back or has another audience brings its accounts in from the first on: a row comes
-- back. What its template asks about may change without that.
insert into buying_group_jobs as j (slug, solution_interest, audience, asks, stored_at)
values (:slug, :solution_interest, :audience, :asks, :at)
on conflict (slug) do update
  set solution_interest = excluded.solution_interest, audience = excluded.audience, stored_at = excluded.stored_at,
      flow_at = null, size = null, deleted_at = null
  where j.deleted_at is not null
     or (j.solution_interest, j.audience) is distinct from (excluded.solution_interest, excluded.audience)
returning id;

-- name: note_asks
update buying_group_jobs set asks = :asks where slug = :slug and asks is distinct from :asks::text[];

-- name: forget_intake
delete from cursors where stream = :stream;

-- name: close_jobs
update buying_group_jobs set deleted_at = :at
where deleted_at is null and not slug = any(:kept::text[]) returning slug;

-- name: question_groups_of
-- Accounts with a group of these solution interests. `xid`: answered once nobody writes any more who may not
-- have seen what the documents ask about now.
insert into buying_group_questions (account_id, xid)
select distinct g.account_id, pg_current_xact_id() from buying_groups g
where g.solution_interest = any(:solution_interests::text[])
  and exists (select from buying_group_jobs j where j.solution_interest = g.solution_interest and j.deleted_at is null);
