-- Engagement: what people did by day, the scale in force, and the scores that follow from both.
--
-- Whoever records holds the lock of `share_accounts_touched`, which `begin_recount` takes alone: types that
-- begin to count are counted from the activities while nothing is being recorded. What one person did is
-- changed under the lock of their row in engagement_people, so a statement that begins after the lock was
-- had sees all of it.

-- name: hold_engagement
-- Locks what these people did, in order of id. Who has done nothing before gets a row; as nobody can have
-- waited for that, they are locked themselves, and first, against `share_people` of who changes groups.
with new as materialized (
  select id from people p
  where id = any(:person_ids::bigint[]) and not exists (select from engagement_people e where e.person_id = p.id)
  order by id for update
)
insert into engagement_people as e (person_id)
select distinct one from unnest(:person_ids::bigint[]) as u (one)
where (select count(*) from new) is not null
order by one
on conflict (person_id) do update set points = e.points where false;

-- name: count_engagement
-- Adds to the days, and gives the people a standing under the scale in force: what is new is added to the
-- points of who stands under it, all of the window is summed for who stands under another. Gives those
-- whose score changed.
with scale as (
  select * from engagement_scales order by id desc limit 1
), counted as (
  insert into engagement_days as d (person_id, type, day, count)
  select h.person_id, h.type, h.day, h.count
  from unnest(:people::bigint[], :types::text[], :days::date[], :counts::integer[]) as h (person_id, type, day, count),
       scale s
  where h.type = any(s.counted) and h.day >= s.from_day
  order by h.person_id, h.type, h.day
  on conflict (person_id, type, day) do update set count = d.count + excluded.count
  returning new.person_id, new.type, new.day, coalesce(old.count, 0) as before, new.count as after
), added as (
  select c.person_id,
         sum((least(c.after, s.daily_cap) - least(c.before, s.daily_cap))::bigint * (s.weights ->> c.type)::integer) as points
  from counted c, scale s
  where s.weights ? c.type and c.day <= s.day + 1
  group by c.person_id
), standing as (
  select p.person_id, coalesce(a.points, 0) + case
           when p.scale_id = s.id then p.points
           else coalesce((select sum(least(d.count, s.daily_cap)::bigint * (s.weights ->> d.type)::integer)
                          from engagement_days d
                          where d.person_id = p.person_id and d.day between s.from_day and s.day + 1
                            and s.weights ? d.type), 0)
         end as points
  from engagement_people p cross join scale s left join added a on a.person_id = p.person_id
  where p.person_id = any(:people::bigint[])
), changed as (
  update engagement_people p
  set points = n.points, scale_id = s.id,
      score = engagement_score(n.points::numeric(40, 20) / s.heaviest, s.person_p99)
  from standing n, scale s
  where p.person_id = n.person_id and (p.scale_id, p.points) is distinct from (s.id, n.points)
  returning p.person_id, old.score as before, new.score as after
)
select person_id from changed where before <> after order by person_id;

-- name: lock_groups_of_people
-- The groups these people are in, locked in order of id.
select id from buying_groups
where id in (select group_id from buying_group_members
             where person_id = any(:person_ids::bigint[]) and removed_at is null)
order by id for no key update;

-- name: lock_groups
select id from buying_groups where id = any(:group_ids::bigint[]) order by id for no key update;

-- name: rescore_groups
-- Engagement of these groups under the scale in force. A member who stands under another is summed here
-- from the days, so a group is never a mixture. Gives those whose engagement changed.
with scale as (
  select * from engagement_scales order by id desc limit 1
), role_totals as (
  select m.group_id, m.role, coalesce(r.weight, 0) as weight,
         sum(case
           when e.person_id is null then 0
           when e.scale_id = s.id then e.score
           else engagement_score((select sum(least(d.count, s.daily_cap)::bigint * (s.weights ->> d.type)::integer)
                                  from engagement_days d
                                  where d.person_id = e.person_id and d.day between s.from_day and s.day + 1
                                    and s.weights ? d.type)::numeric(40, 20) / s.heaviest, s.person_p99)
         end) as total
  from buying_group_members m join buying_groups g on g.id = m.group_id cross join scale s
  left join template_roles r on r.template_id = g.template_id and r.role = m.role
  left join engagement_people e on e.person_id = m.person_id
  where m.group_id = any(:group_ids::bigint[]) and m.removed_at is null
  group by m.group_id, m.role, r.weight
), raws as (
  select group_id, sum(total * weight)::numeric(40, 20) / nullif(sum(weight), 0) as raw
  from role_totals group by group_id
), scored as (
  select g.id, s.id as scale_id, engagement_score(r.raw, s.group_p99) as engagement
  from buying_groups g cross join scale s left join raws r on r.group_id = g.id
  where g.id = any(:group_ids::bigint[])
), changed as (
  update buying_groups g set engagement = n.engagement, scale_id = n.scale_id
  from scored n
  where g.id = n.id and (g.engagement, g.scale_id) is distinct from (n.engagement, n.scale_id)
  returning g.id, g.account_id, g.solution_interest, old.engagement as before, new.engagement as after
)
select * from changed where before <> after order by id;

-- name: unqualified_groups
-- Groups that have not met what their solution interest asks for, where it asks for something.
select s.slug, s.qualified, array_agg(g.id order by g.id) as group_ids
from buying_groups g join solution_interests s on s.slug = g.solution_interest
where g.id = any(:group_ids::bigint[]) and g.qualified_at is null and s.qualified is not null
group by s.slug, s.qualified order by s.slug;

-- name: scale_in_force
select * from engagement_scales order by id desc limit 1;

-- name: renewal
-- What decides whether a new scale is due. `asked`: there are groups to be, or a journey or a list asks how
-- engaged people are. `lacking`: the scale in force compares with nobody, and there is somebody now.
select m.id as model_id, m.body,
       exists (select from solution_interests)
         or exists (select from lists where condition::text like '%"engagement"%')
         or exists (select from journeys j join plans p on p.hash = j.plan_hash
                    where j.state in ('scheduled', 'live', 'closed') and p.asks_engagement) as asked,
       s.id as scale_id, s.score_model_id, s.day, s.from_day, s.zone, s.counted,
       case
         when s.person_p99 is null then exists (
           select from engagement_days d
           where d.type = any(s.counted) and d.day between s.from_day and s.day + 1)
         when s.group_p99 is null then exists (
           select from engagement_people e
           join buying_group_members b on b.person_id = e.person_id and b.removed_at is null
           join buying_groups g on g.id = b.group_id
           join template_roles r on r.template_id = g.template_id and r.role = b.role
           where e.scale_id = s.id and e.score > 0)
       end as lacking
from score_models m left join lateral (select * from engagement_scales order by id desc limit 1) s on true
where m.active;

-- name: lock_renewal
-- One makes a scale at a time.
select pg_advisory_xact_lock(hashtext(current_schema() || '.engagement_scale'));

-- name: begin_recount
-- Nothing is recorded from here to the end of the transaction.
select pg_advisory_xact_lock(hashtext(current_schema() || '.engagement'));

-- name: forget_days
-- Those of types that are to be counted anew, or not any more.
delete from engagement_days where not type = any(:kept::text[]);

-- name: recount_days
-- From all that was recorded. `starts`: when each day of the window begins, from `from_day` on; the last is
-- the end of what is counted here.
insert into engagement_days (person_id, type, day, count)
select person_id, type, :from_day::date + width_bucket(at, :starts::timestamptz[]) - 1, count(*)
from activities
where person_id is not null and type = any(:types::text[]) and fields -> 'bot' is distinct from 'true'::jsonb
  and at >= (:starts::timestamptz[])[1] and at < (:starts::timestamptz[])[cardinality(:starts::timestamptz[])]
group by 1, 2, 3;

-- name: activities_ahead
-- What is dated later than the days that `recount_days` knows.
select person_id, type, at from activities
where person_id is not null and type = any(:types::text[]) and at >= :ends_at
  and fields -> 'bot' is distinct from 'true'::jsonb;

-- name: add_days
insert into engagement_days as d (person_id, type, day, count)
select * from unnest(:people::bigint[], :types::text[], :days::date[], :counts::integer[])
on conflict (person_id, type, day) do update set count = d.count + excluded.count;

-- name: hold_counted
-- Everybody who has done anything has a standing, to be reckoned.
insert into engagement_people (person_id) select distinct person_id from engagement_days order by person_id
on conflict do nothing;

-- name: make_scale
-- What occurred in the window decides which weights are in use, and who has anything, what is compared with.
-- The percentiles are of square roots, continuous (percentile_cont).
with weight as (
  select key as type, value::integer as weight from jsonb_each_text(:weights::jsonb)
), counts as materialized (
  select d.person_id, d.type, sum(least(d.count, :daily_cap::integer)) as count
  from engagement_days d join weight w on w.type = d.type
  where d.day between :from_day::date and :day::date + 1
  group by d.person_id, d.type
), used as materialized (
  select type, weight from weight where type in (select type from counts)
), heaviest as (
  select max(weight) as weight from used
), sums as materialized (
  select c.person_id, sum(c.count * u.weight) as points from counts c join used u on u.type = c.type group by c.person_id
), people as materialized (
  select (percentile_cont(0.99) within group (order by sqrt(s.points::float8 / h.weight)))::numeric as p99
  from sums s, heaviest h
), role_totals as (
  select m.group_id, m.role, coalesce(r.weight, 0) as weight,
         sum(engagement_score(s.points::numeric(40, 20) / h.weight, p.p99)) as total
  from buying_group_members m join buying_groups g on g.id = m.group_id cross join heaviest h cross join people p
  left join template_roles r on r.template_id = g.template_id and r.role = m.role
  left join sums s on s.person_id = m.person_id
  where m.removed_at is null
  group by m.group_id, m.role, r.weight
), raws as (
  select sum(total * weight) / nullif(sum(weight), 0) as raw from role_totals group by group_id
)
insert into engagement_scales (score_model_id, day, from_day, zone, daily_cap, counted, weights, heaviest,
                               person_p99, group_p99, made_at)
select :model_id, :day::date, :from_day::date, :zone, :daily_cap::integer,
       array(select type from weight order by type),
       coalesce((select jsonb_object_agg(type, weight) from used), '{}'), (select weight from heaviest),
       (select p99 from people),
       (select (percentile_cont(0.99) within group (order by sqrt(raw::float8)))::numeric from raws where raw > 0),
       :at
returning id;

-- name: people_behind
-- The next who stand under another scale, or under none; whoever is being counted is skipped, for that
-- brings them up to it.
select person_id from engagement_people
where scale_id is null or scale_id < (select max(id) from engagement_scales)
limit :limit for update skip locked;

-- name: bring_people
-- Sums the window of these people, locked before, under the scale in force; gives those whose score changed.
with scale as (
  select * from engagement_scales order by id desc limit 1
), sums as (
  select u.person_id, coalesce(sum(least(d.count, s.daily_cap)::bigint * (s.weights ->> d.type)::integer), 0) as points
  from unnest(:person_ids::bigint[]) as u (person_id) cross join scale s
  left join engagement_days d
    on d.person_id = u.person_id and d.day between s.from_day and s.day + 1 and s.weights ? d.type
  group by u.person_id
), brought as (
  update engagement_people p
  set scale_id = s.id, points = n.points,
      score = engagement_score(n.points::numeric(40, 20) / s.heaviest, s.person_p99)
  from scale s, sums n
  where p.person_id = n.person_id
  returning p.person_id, old.score as before, new.score as after
)
select person_id from brought where before <> after order by person_id;

-- name: groups_behind
-- The next groups that stand under another scale, or under none.
select id from buying_groups
where scale_id is null or scale_id < (select max(id) from engagement_scales)
order by id limit :limit for no key update skip locked;

-- name: prune_days
-- Days that no window reaches any more; they can be counted again from the activities.
with old_days as (
  select ctid from engagement_days
  where day < (select from_day from engagement_scales order by id desc limit 1) limit :limit
)
delete from engagement_days where ctid in (select ctid from old_days);

-- The next three are what caravan/campaigns/locking_ahead.py locks, one after the other. Each is a statement of its
-- own: it must see what those have committed whom the one before has waited for.

-- name: lock_people_ahead
-- The accounts of the account's people, then these people, who have done something or not: their first activity
-- asks for this lock, and so does whoever takes them into a group (share_people). Gives the people.
with related as materialized (
  select person_id as id from relations where account_id = :account_id and deleted_at is null
), accounts_touched as materialized (
  select id from accounts
  where (select pg_advisory_xact_lock_shared(hashtext(current_schema() || '.engagement')) is not null)
    and (id = :account_id
         or id in (select account_id from relations where person_id in (select id from related) and deleted_at is null))
  order by id for key share
)
select id from people
where (select count(*) from accounts_touched) > 0 and id in (select id from related)
order by id for update;

-- name: lock_engagement_ahead
-- Also of who did their first thing while we waited for it; from here on nobody else does theirs.
select person_id from engagement_people
where person_id = any(:person_ids::bigint[]) order by person_id for no key update;

-- name: lock_groups_ahead
-- Those of the account, and those its people are in; from here on nobody takes these people into another.
select id from buying_groups
where account_id = :account_id
   or id in (select group_id from buying_group_members
             where person_id = any(:person_ids::bigint[]) and removed_at is null)
order by id for no key update;
