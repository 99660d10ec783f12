-- name: lock_ai_day
-- Who reserves or settles waits for who does: what a day has spent is read and added to by one at a time.
insert into ai_days as d (day) values (:day::date) on conflict (day) do update set day = excluded.day
returning tokens, cost;

-- name: count_lost_ai_calls
-- Of processes that died: nobody knows what they spent, so it is all that they had reserved. It counts
-- to the day on which that is noticed.
with lost as (
  update ai_calls
  set outcome = 'lost', tokens_in = tokens_in + reserved_in, tokens_out = tokens_out + reserved_out,
      cost = cost + reserved_cost, reserved_in = 0, reserved_out = 0, reserved_cost = null
  where outcome is null and open_until < :at::timestamptz
  returning old.reserved_in + old.reserved_out as tokens, old.reserved_cost as cost
)
update ai_days d set tokens = d.tokens + lost.tokens, cost = d.cost + lost.cost
from (select sum(tokens) as tokens, coalesce(sum(cost), 0) as cost from lost having count(*) > 0) lost
where d.day = :day::date;

-- name: ai_reserved
select coalesce(sum(reserved_in + reserved_out), 0)::bigint as tokens, coalesce(sum(reserved_cost), 0) as cost
from ai_calls where outcome is null;

-- name: ai_day
select tokens, cost from ai_days where day = :day::date;

-- name: open_ai_call
insert into ai_calls (feature, model, digest, at, open_until, cost)
values (:feature, :model, :digest, :at, :open_until, :cost)
returning id;

-- name: note_ai_call
-- One that asked nobody: its answer was at hand, or there was no budget.
insert into ai_calls (feature, model, digest, at, open_until, outcome, cost, latency_ms)
values (:feature, :model, :digest, :at, :at, :outcome, 0, 0)
returning id;

-- name: reserve_ai_request
update ai_calls set reserved_in = :tokens_in, reserved_out = :tokens_out, reserved_cost = :cost
where id = :id and outcome is null returning id;

-- name: settle_ai_day
update ai_days set tokens = tokens + :tokens::bigint, cost = cost + coalesce(:cost::numeric, 0) where day = :day::date;

-- name: settle_ai_request
update ai_calls
set requests = requests + 1, tokens_in = tokens_in + :tokens_in::bigint, tokens_out = tokens_out + :tokens_out::bigint,
    cost = cost + :cost::numeric, reserved_in = 0, reserved_out = 0, reserved_cost = null
where id = :id and outcome is null returning id;

-- name: spend_reserved_of_ai_call
-- A request that nobody settled: what it cost is not known, so it is all that it had reserved.
with spent as (
  update ai_calls
  set tokens_in = tokens_in + reserved_in, tokens_out = tokens_out + reserved_out, cost = cost + reserved_cost,
      reserved_in = 0, reserved_out = 0, reserved_cost = null
  where id = :id and reserved_in + reserved_out > 0
  returning old.reserved_in + old.reserved_out as tokens, coalesce(old.reserved_cost, 0) as cost
)
update ai_days d set tokens = d.tokens + spent.tokens, cost = d.cost + spent.cost from spent where d.day = :day::date;

-- name: close_ai_call
update ai_calls set outcome = coalesce(outcome, :outcome), latency_ms = :latency_ms
where id = :id returning tokens_in, tokens_out, cost;

-- name: latest_ai_calls
select id as call, at, feature, model, outcome, requests, tokens_in, tokens_out, cost, latency_ms, digest
from ai_calls order by id desc limit :limit;

-- name: ai_calls_after
select count(*) as calls, coalesce(sum(tokens_in), 0)::bigint as tokens_in,
       coalesce(sum(tokens_out), 0)::bigint as tokens_out, sum(cost) as cost, coalesce(sum(latency_ms), 0) as latency_ms
from ai_calls where id > :call;

-- name: ai_calls_by_feature
select feature, count(*) as calls, coalesce(sum(tokens_in), 0)::bigint as tokens_in,
       coalesce(sum(tokens_out), 0)::bigint as tokens_out, sum(cost) as cost
from ai_calls where at >= :since and at < :until group by feature order by feature;

-- name: forget_ai_calls
with old as (
  select id from ai_calls where at < :before order by at limit :limit for update skip locked
)
delete from ai_calls c using old where c.id = old.id returning 1;

-- name: forget_ai_days
delete from ai_days where day < :before::date returning 1;
