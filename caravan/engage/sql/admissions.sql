-- name: queue_admissions
-- Those already inside, and those who have used their entry, are not queued again and again by every
-- change of their data. Admission itself decides.
insert into admissions (journey_id, account_id, queued_at)
select j.id, q.account_id, :at
from unnest(:account_ids::bigint[]) as q (account_id)
join accounts a on a.id = q.account_id and a.deleted_at is null
cross join journeys j
left join entries e on e.slug = j.slug and e.account_id = q.account_id
where j.id = :journey_id and j.state = 'live' and j.ends_at > :at and coalesce(e.count, 0) < :entry_limit;

-- name: takes_entries
-- Shared with other admitters; whoever closes the journey waits until they have admitted.
select id from journeys where id = :journey_id and state = 'live' and paused_at is null and ends_at > :at for share;

-- name: take_admissions
select id, account_id from admissions where journey_id = :journey_id
order by id for update skip locked limit :limit;

-- name: drop_admissions
delete from admissions where id = any(:ids::bigint[]);

-- name: admit
-- Entry is decided here, in one statement: one open traversal per journey and account, and as many
-- entries as the rule allows. The entries row is the lock that makes two admitters take turns.
with asked as (
  select distinct account_id from unnest(:account_ids::bigint[]) as a (account_id)
  where not exists (select from traversals t
                    where t.slug = :slug and t.account_id = a.account_id and t.ended_at is null)
), entered as (
  insert into entries as e (slug, account_id, count, last_entered_at)
  select :slug, account_id, 1, :at::timestamptz from asked order by account_id
  on conflict (slug, account_id) do update
    set count = e.count + 1, last_entered_at = excluded.last_entered_at
    where e.count < :entry_limit
  returning account_id, count
)
insert into traversals (journey_id, slug, account_id, entry, entered_at, state, workflow_id)
select :journey_id, :slug, account_id, count, :at::timestamptz, :state::jsonb,
       :prefix || account_id || '/' || count
from entered
returning id;

-- name: admission_counts
select (select count(*) from admissions where journey_id = :journey_id) as queued,
       (select count(*) from traversals where journey_id = :journey_id) as entered,
       (select count(*) from traversals where journey_id = :journey_id and not started and ended_at is null) as unstarted;
