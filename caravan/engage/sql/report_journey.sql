-- name: report_outcomes
-- How entries ended, over the versions of a journey; the mean and the median time to an end, in seconds.
select coalesce(reason, 'inside') as reason, label, count(*) as accounts,
       extract(epoch from avg(ended_at - entered_at))::float8 as mean_seconds,
       extract(epoch from percentile_cont(0.5) within group (order by ended_at - entered_at))::float8 as median_seconds
from traversals where journey_id = any(:journey_ids::bigint[])
group by reason, label order by accounts desc, reason, label;

-- name: report_duration
-- From entry to completion.
select extract(epoch from avg(ended_at - entered_at))::float8 as mean_seconds,
       extract(epoch from percentile_cont(0.5) within group (order by ended_at - entered_at))::float8 as median_seconds
from traversals
where journey_id = any(:journey_ids::bigint[])
  and (reason = 'completed' or (reason = 'exit' and label = any(:goals::text[])));

-- name: report_days
-- Who entered and who completed on each day of the journey's zone on which somebody did.
select day, sum(entered)::bigint as entered, sum(completed)::bigint as completed
from (select (entered_at at time zone :zone)::date as day, 1 as entered, 0 as completed
      from traversals where journey_id = any(:journey_ids::bigint[])
      union all
      select (ended_at at time zone :zone)::date, 0, 1
      from traversals where journey_id = any(:journey_ids::bigint[])
        and (reason = 'completed' or (reason = 'exit' and label = any(:goals::text[])))) d
group by day order by day;

-- name: report_engaged
-- Entries with an engaged person while they lasted, and how many people those are. What machines did does
-- not count.
select count(distinct t.id) as accounts, count(distinct a.person_id) as people
from traversals t
join relations r on r.account_id = t.account_id and r.deleted_at is null
join activities a on a.person_id = r.person_id and a.type = any(:types::text[])
  and a.at >= t.entered_at and (t.ended_at is null or a.at <= t.ended_at)
  and a.fields -> 'bot' is distinct from 'true'::jsonb
where t.journey_id = any(:journey_ids::bigint[]);

-- name: report_variants_accounts
-- Of the first arrival of each entry at nodes that divide accounts by variants: how many took each path, and
-- what came of them. `engaged`: one of their people was, after they came there.
with arrival as (
  select distinct on (s.traversal_id, s.node) s.traversal_id, s.node, s.outcome ->> 'edge' as path, s.arrived_at
  from steps s join traversals t on t.id = s.traversal_id
  where t.journey_id = any(:journey_ids::bigint[]) and s.node = any(:nodes::text[]) and s.outcome ->> 'edge' is not null
  order by s.traversal_id, s.node, s.step_no
)
select v.node, v.path, count(*) as number, count(*) filter (where t.ended_at is null) as inside,
       count(*) filter (where t.reason = 'exit' and t.label = any(:goals::text[])) as goal,
       count(*) filter (where t.reason = 'completed' or (t.reason = 'exit' and t.label = any(:goals::text[]))) as completed,
       count(*) filter (where t.label = :label) as labelled,
       count(*) filter (where exists (
         select from relations r join activities a on a.person_id = r.person_id
         where r.account_id = t.account_id and r.deleted_at is null and a.type = any(:types::text[])
           and a.at >= v.arrived_at and (t.ended_at is null or a.at <= t.ended_at)
           and a.fields -> 'bot' is distinct from 'true'::jsonb)) as engaged
from arrival v join traversals t on t.id = v.traversal_id
group by v.node, v.path order by v.node, v.path;

-- name: report_variants_people
-- Likewise of nodes that divide people: a success is that the person was engaged after coming there.
with arrival as (
  select distinct on (p.traversal_id, p.node, p.person_id) p.traversal_id, p.node, p.person_id, p.path, s.arrived_at
  from participants p
  join traversals t on t.id = p.traversal_id
  join steps s on s.traversal_id = p.traversal_id and s.node = p.node and s.visit = p.visit
  where t.journey_id = any(:journey_ids::bigint[]) and p.node = any(:nodes::text[]) and p.path is not null
  order by p.traversal_id, p.node, p.person_id, p.visit, s.step_no
)
select v.node, v.path, count(*) as number, count(*) filter (where t.ended_at is null) as inside,
       count(*) filter (where exists (
         select from activities a
         where a.person_id = v.person_id and a.type = any(:types::text[])
           and a.at >= v.arrived_at and (t.ended_at is null or a.at <= t.ended_at)
           and a.fields -> 'bot' is distinct from 'true'::jsonb)) as engaged
from arrival v join traversals t on t.id = v.traversal_id
group by v.node, v.path order by v.node, v.path;

-- name: report_decisions
-- What models decided at nodes of the kind decide: how often each way was taken and how sure the model was. `cause`: why the
-- account took `otherwise`; null: the model's word counted.
select d.node, d.edge, d.cause, count(*) as accounts, avg(d.confidence)::float8 as confidence
from decisions d join traversals t on t.id = d.traversal_id
where t.journey_id = any(:journey_ids::bigint[]) and d.edge is not null
group by d.node, d.edge, d.cause order by d.node, accounts desc, d.edge, d.cause nulls first;
