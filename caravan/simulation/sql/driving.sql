-- name: who_share
-- Those of these accounts that share somebody with one account: with each other, or with a third that rests
-- and may hear of either.
select array_agg(distinct walking.account_id) as account_ids
from relations walking
join relations near on near.person_id = walking.person_id and near.deleted_at is null
where walking.account_id = any(:account_ids::bigint[]) and walking.deleted_at is null
group by near.account_id having count(distinct walking.account_id) > 1 order by near.account_id;

-- name: begin_travelling
-- Who has been admitted and is on nobody's agenda yet.
with begun as (
  update traversals set started = true, checked_at = :at
  where journey_id = :journey_id and not started and ended_at is null
  returning id, account_id, entered_at
)
select b.id, b.account_id, b.entered_at, a.external_id as account
from begun b join accounts a on a.id = b.account_id
order by a.external_id collate "C", b.id;

-- name: order_admissions
-- Numbers the queue anew: at one instant accounts come in order of id.
do $$
declare waiting record;
begin
  for waiting in select q.id from admissions q join accounts a on a.id = q.account_id
                 order by q.due_at, a.external_id collate "C", q.id
  loop
    update admissions set id = default where id = waiting.id;
  end loop;
end $$;

-- name: take_woken
delete from wakeups returning traversal_id;

-- name: engage_waits
-- What this store still has to pass on: how far its outbox reaches, whom admission and wake-ups wait for; and
-- what its dynamic lists still have to look at, now and by the passing of time alone; jobs that have not brought
-- in their accounts, and groups in question.
select (select seq from changes order by epoch desc, xid desc, seq desc limit 1) as outbox,
       (select seq from cursors where stream = :down) as followed,
       exists (select from admissions where journey_id = :journey_id and due_at <= :at)
         or :again and exists (select from entries where last_ended_at is distinct from settled_end) as admissions,
       exists (select from wakeups) as wakeups,
       exists (select from list_questions)
         or exists (select from lists where condition is not null and evaluated_at is null) as lists_wait,
       exists (select from buying_group_jobs where flow_at is null and deleted_at is null) as jobs_wait,
       exists (select from buying_group_questions) as groups_wait,
       (select min(next_flip) from list_flips) as next_flip;

-- name: platform_waits
select (select seq from changes order by epoch desc, xid desc, seq desc limit 1) as outbox,
       (select seq from cursors where stream = :up) as synced,
       exists (select from persona_questions) or exists (select from personas where compared_to is not null) as titles_wait,
       (select min(next_flip) from audience_flips) as next_flip;

-- name: outbox_end
select epoch, xid::text as xid, seq from changes order by epoch desc, xid desc, seq desc limit 1;

-- name: account_named
select id from accounts where external_id = :external_id;

-- name: gather_statistics
-- The server of throw-away stores has no autovacuum that would; without, `deleted_at is null` counts as rare, and
-- what joins by relations is planned as if nobody had any.
analyze accounts, people, relations, opportunities, activities;

-- name: gather_statistics_of_records
-- The same of what comes in by the flow. What a journey writes itself is left out: of tables that were found empty
-- plans would be made that read them whole, and these grow with every account that walks.
analyze accounts, people, relations, opportunities;
