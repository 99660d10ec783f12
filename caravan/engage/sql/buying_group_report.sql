-- What the report of buying groups asks. Each query reads the groups of a solution interest, or all, whole
-- and once; groups of accounts that are gone from the Platform are left out everywhere.

-- name: report_bands
-- Four bands, each with its lower end and without its upper one; the last has its upper end, 100, too.
with here as (
  select g.completeness, g.engagement from buying_groups g join accounts a on a.id = g.account_id
  where a.deleted_at is null and (:solution_interest::text is null or g.solution_interest = :solution_interest::text)
), banded as (
  select least(floor(completeness / 25), 3)::integer as band, 1 as completeness, 0 as engagement from here
  union all
  select least(floor(engagement / 25), 3)::integer, 0, 1 from here
)
select b.band, coalesce(sum(banded.completeness), 0) as completeness, coalesce(sum(banded.engagement), 0) as engagement
from generate_series(0, 3) as b (band) left join banded using (band) group by b.band order by b.band;

-- name: report_stages
-- The stage of a group at an instant is that of its last change up to then. All stages of the models
-- in force are told, also those nobody stands on; of a group that has begun at none yet it is null.
with here as (
  select g.id, g.solution_interest, g.created_at from buying_groups g join accounts a on a.id = g.account_id
  where a.deleted_at is null and (:solution_interest::text is null or g.solution_interest = :solution_interest::text)
), at_start as (
  select distinct on (group_id) group_id, new as stage from buying_group_history
  where what = 'stage' and at <= :from order by group_id, at desc, id desc
), at_end as (
  select distinct on (group_id) group_id, new as stage from buying_group_history
  where what = 'stage' and at <= :to order by group_id, at desc, id desc
), stood as (
  select here.solution_interest, s.stage, 1 as at_start, 0 as at_end
  from here left join at_start s on s.group_id = here.id where here.created_at <= :from
  union all
  select here.solution_interest, e.stage, 0, 1
  from here left join at_end e on e.group_id = here.id where here.created_at <= :to
), models as (
  select distinct on (slug) slug, body from stage_models order by slug, version desc
), named as (
  select i.slug as solution_interest, s.body ->> 'stage' as stage, s.position
  from solution_interests i join models m on m.slug = i.stage_model,
       jsonb_array_elements(m.body -> 'stages') with ordinality as s (body, position)
  where :solution_interest::text is null or i.slug = :solution_interest::text
)
select solution_interest, stage, coalesce(sum(stood.at_start), 0) as at_start, coalesce(sum(stood.at_end), 0) as at_end
from named full join stood using (solution_interest, stage)
group by solution_interest, stage, named.position
order by solution_interest, stage is not null, named.position nulls last, stage;

-- name: report_highest
select g.id, a.external_id as account, a.attributes ->> 'name' as name, g.solution_interest, g.stage, g.completeness, g.engagement
from buying_groups g join accounts a on a.id = g.account_id
where a.deleted_at is null and (:solution_interest::text is null or g.solution_interest = :solution_interest::text)
order by g.engagement desc, g.completeness desc, g.id limit :top;

-- name: report_fastest
-- Velocity, as the report and a group's page tell it: moves from one stage to another within the period, those
-- into a failure stage left out, and how long each took on average, from the move before on, also where that
-- was earlier. First who made most; of as many, who took less time for each. Of one group or of all.
with failures as (
  select m.id as stage_model_id, s ->> 'stage' as stage
  from stage_models m, jsonb_array_elements(m.body -> 'stages') s where (s ->> 'failure')::boolean
), went as (
  select h.group_id, h.old, h.new, h.at, h.at - lag(h.at) over (partition by h.group_id order by h.at, h.id) as took
  from buying_group_history h
  where h.what = 'stage' and h.at <= :to and (:group_id::bigint is null or h.group_id = :group_id)
), forward as (
  select w.group_id, count(*) as moves, avg(w.took) as took
  from went w join buying_groups g on g.id = w.group_id
  left join failures f on f.stage_model_id = g.stage_model_id and f.stage = w.new
  where w.at > :from and w.old is not null and f.stage is null
  group by w.group_id
)
select g.id, a.external_id as account, a.attributes ->> 'name' as name, g.solution_interest, g.stage,
       forward.moves, forward.took
from forward join buying_groups g on g.id = forward.group_id join accounts a on a.id = g.account_id
where a.deleted_at is null and (:solution_interest::text is null or g.solution_interest = :solution_interest::text)
order by forward.moves desc, forward.took, g.id limit :top;

-- name: report_stagnant
-- Longest in the stage they stood on at the end of the period; who has succeeded or failed does not stagnate.
with ends as (
  select m.id as stage_model_id, s ->> 'stage' as stage
  from stage_models m, jsonb_array_elements(m.body -> 'stages') s
  where (s ->> 'success')::boolean or (s ->> 'failure')::boolean
), stands as (
  select distinct on (group_id) group_id, new as stage, at from buying_group_history
  where what = 'stage' and at <= :to order by group_id, at desc, id desc
)
select g.id, a.external_id as account, a.attributes ->> 'name' as name, g.solution_interest, stands.stage,
       stands.at as since, g.completeness, g.engagement
from stands join buying_groups g on g.id = stands.group_id join accounts a on a.id = g.account_id
left join ends on ends.stage_model_id = g.stage_model_id and ends.stage = stands.stage
where stands.stage is not null and ends.stage is null and a.deleted_at is null
  and (:solution_interest::text is null or g.solution_interest = :solution_interest::text)
order by stands.at, g.id limit :top;

-- name: report_coverage
-- By the version of the template that each group follows. `filled` and `needed` count required roles alone;
-- more people than a role needs fill it no more than once.
with here as (
  select g.id, g.solution_interest, g.template_id from buying_groups g join accounts a on a.id = g.account_id
  where a.deleted_at is null and (:solution_interest::text is null or g.solution_interest = :solution_interest::text)
), has as (
  select group_id, role, count(*) as people from buying_group_members where removed_at is null group by group_id, role
)
select here.solution_interest, r.role, count(*) as groups, coalesce(sum(has.people), 0)::bigint as people,
       coalesce(sum(least(coalesce(has.people, 0), r.members_required)) filter (where r.required), 0)::bigint as filled,
       coalesce(sum(r.members_required) filter (where r.required), 0)::bigint as needed,
       count(*) filter (where has.people is null) as groups_with_none
from here join template_roles r on r.template_id = here.template_id
left join has on has.group_id = here.id and has.role = r.role
group by here.solution_interest, r.role order by here.solution_interest, min(r.priority), r.role;

-- name: report_overlap
-- People in several groups, and how many of them are in so many; of a solution interest: in one of its.
with inside as (
  select m.person_id, count(*) as groups, array_agg(g.id order by g.id) as ids
  from buying_group_members m join buying_groups g on g.id = m.group_id join accounts a on a.id = g.account_id
  where m.removed_at is null and a.deleted_at is null
  group by m.person_id
  having count(*) > 1
    and (:solution_interest::text is null or bool_or(g.solution_interest = :solution_interest::text))
), ranked as (
  select *, count(*) over () as people, row_number() over (order by groups desc, person_id) as place from inside
)
select r.people, p.external_id as person, p.attributes, r.groups,
       (select array_agg(a.external_id || '/' || g.solution_interest order by g.id)
        from buying_groups g join accounts a on a.id = g.account_id where g.id = any(r.ids[1:10])) as named
from ranked r join people p on p.id = r.person_id
where r.place <= :top order by r.place;
