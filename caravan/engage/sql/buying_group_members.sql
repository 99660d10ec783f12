-- name: share_account_of_group
-- First of the locks (see the migration), as share_accounts_touched does: recording follows in the same
-- transaction.
select a.id from buying_groups g join accounts a on a.id = g.account_id
where (select pg_advisory_xact_lock_shared(hashtext(current_schema() || '.engagement')) is not null)
  and g.id = :group_id for key share of a;

-- name: share_people
-- Whoever counts a person's first activity locks the person against this, and whoever counts a later one
-- the row of share_engagement: so either it finds the membership, or the group is scored with it.
select id from people where id = any(:person_ids::bigint[]) order by id for key share;

-- name: share_engagement
select person_id from engagement_people where person_id = any(:person_ids::bigint[]) order by person_id for share;

-- name: lock_group
select id, account_id, solution_interest, stage_model_id, stage, status
from buying_groups where id = :group_id for no key update;

-- name: group_of
select id from buying_groups where account_id = :account_id and solution_interest = :solution_interest;

-- name: places_in_group
-- Of some people: whether they are of the account, and what was last said of them.
select p.id, m.role, m.source, m.removed_at is not null as removed,
       p.deleted_at is null and exists (
         select from relations r
         where r.account_id = g.account_id and r.person_id = p.id and r.deleted_at is null) as related
from buying_groups g cross join people p
left join buying_group_members m on m.group_id = g.id and m.person_id = p.id
where g.id = :group_id and p.id = any(:person_ids::bigint[]);

-- name: put_members
-- Who was in the group already keeps the instant they came.
insert into buying_group_members as m (group_id, person_id, role, source, added_at)
select :group_id::bigint, p.id, :role::text, :source::text, :at::timestamptz
from unnest(:person_ids::bigint[]) as p (id) order by p.id
on conflict (group_id, person_id) do update
  set role = excluded.role, source = excluded.source, removed_at = null,
      added_at = case when m.removed_at is null then m.added_at else excluded.added_at end;

-- name: take_members_out
update buying_group_members set removed_at = :at, source = :source
where group_id = :group_id and person_id = any(:person_ids::bigint[]);

-- name: raise_source
-- What is as they want it already is theirs from now on.
update buying_group_members set source = :source
where group_id = :group_id and person_id = any(:person_ids::bigint[]);

-- name: recount_completeness
-- The groups are locked. Exact but for what no decimal can hold: 45 digits tell every completeness of every
-- template from a half, and from each other.
with assigned as (
  select group_id, role, count(*) as people from buying_group_members
  where group_id = any(:group_ids::bigint[]) and removed_at is null group by group_id, role
), counted as (
  select g.id, g.completeness as before,
         trim_scale(round(100 * coalesce(sum(least(coalesce(a.people, 0), r.members_required) * r.parts), 0), 45) / t.denominator) as now
  from buying_groups g
  join roles_templates t on t.id = g.template_id
  left join template_roles r on r.template_id = g.template_id and r.required
  left join assigned a on a.group_id = g.id and a.role = r.role
  where g.id = any(:group_ids::bigint[])
  group by g.id, t.denominator
)
update buying_groups g set completeness = c.now
from counted c where c.id = g.id and c.now <> c.before
returning g.id, g.account_id, g.solution_interest, c.before, c.now;

-- name: group_in_words
-- What a mail may say of an account's group, and of who plays which role in it.
select g.stage, g.status, g.completeness, g.engagement, g.qualified_at is not null as qualified,
       coalesce((select jsonb_object_agg(m.person_id, m.role) from buying_group_members m
                 where m.group_id = g.id and m.removed_at is null), '{}') as roles
from buying_groups g where g.account_id = :account_id and g.solution_interest = :solution_interest;
