-- name: queue_admissions
-- Those already inside, and those who have used their entries, are not queued again and again by every
-- change of their data. Admission itself decides.
insert into admissions (journey_id, account_id, queued_at, due_at, invited)
select j.id, q.account_id, :at, :at, :invited
from unnest(:account_ids::bigint[]) as q (account_id)
join accounts a on a.id = q.account_id and a.deleted_at is null
cross join journeys j
left join entries e on e.slug = j.slug and e.account_id = q.account_id
where j.id = :journey_id and j.state = 'live' and j.ends_at > :at
  and (j.entry_limit is null or coalesce(e.count, 0) < j.entry_limit)
  and not exists (select from traversals t
                  where t.slug = j.slug and t.account_id = q.account_id and t.ended_at is null);

-- name: note_entries_used
-- Of those who would enter but have used their entries; noted once, not by every change.
with used as (
  select e.slug, e.account_id, e.count || ' of ' || j.entry_limit || ' entries used' as rule
  from journeys j join entries e on e.slug = j.slug
  where j.id = :journey_id and j.state = 'live' and j.ends_at > :at
    and e.account_id = any(:account_ids::bigint[]) and e.count >= j.entry_limit
    and e.refused is distinct from e.count || ' of ' || j.entry_limit || ' entries used'
    and not exists (select from traversals t
                    where t.slug = e.slug and t.account_id = e.account_id and t.ended_at is null)
  order by e.account_id for update of e
)
update entries e set refused = used.rule, refused_at = :at
from used where e.slug = used.slug and e.account_id = used.account_id;

-- name: queue_for_later
-- Not those that have been deleted: it is what ended their traversals.
insert into admissions (journey_id, account_id, queued_at, due_at, invited)
select :journey_id, q.account_id, :at, q.due_at, q.invited
from unnest(:account_ids::bigint[], :due_ats::timestamptz[], :invited::boolean[]) as q (account_id, due_at, invited)
join accounts d on d.id = q.account_id and d.deleted_at is null
where not exists (select from admissions a
                  where a.journey_id = :journey_id and a.account_id = q.account_id
                    and a.due_at = q.due_at and a.invited = q.invited and a.due_at > :at);

-- name: takes_entries
-- Shared with other admitters; whoever closes the journey waits until they have admitted.
select id from journeys
where id = :journey_id and state = 'live' and paused_at is null and starts_at <= :at and ends_at > :at for share;

-- name: take_ended
-- Accounts whose traversal has ended since this was last asked: they may enter again some time. Marked
-- as asked in the same statement, for they are queued in the same transaction.
update entries e set settled_end = last_ended_at
from (select slug, account_id from entries
      where slug = :slug and last_ended_at is distinct from settled_end
      order by account_id for update skip locked limit :limit) ended
where e.slug = ended.slug and e.account_id = ended.account_id
returning e.account_id, e.last_entered_at, e.last_ended_at;

-- name: newest_complete
select account_id from newest_complete;

-- name: hold_none
delete from newest_complete;

-- name: hold_newer
insert into newest_complete (account_id) values (:account_id);

-- name: take_admissions
-- Not those whose import goes on: their people may be still to come.
select id, account_id, invited from admissions where journey_id = :journey_id and due_at <= :at
  and account_id <= coalesce((select account_id from newest_complete), 9223372036854775807)
order by due_at, id for update skip locked limit :limit;

-- name: drop_admissions
delete from admissions where id = any(:ids::bigint[]);

-- name: lock_entries
select e.account_id, e.count, e.last_entered_at, e.last_ended_at,
       exists (select from traversals t
               where t.slug = e.slug and t.account_id = e.account_id and t.ended_at is null) as inside
from entries e where e.slug = :slug and e.account_id = any(:account_ids::bigint[])
order by e.account_id for update of e;

-- name: admit
-- Entry is decided here, in one statement: one open traversal per journey and account, and no entry but
-- the one that was asked for. The entries row is the lock that makes two admitters take turns.
with asked as (
  select q.account_id, q.used from unnest(:account_ids::bigint[], :used::int[]) as q (account_id, used)
  where not exists (select from traversals t
                    where t.slug = :slug and t.account_id = q.account_id and t.ended_at is null)
), entered as (
  insert into entries as e (slug, account_id, count, last_entered_at)
  select :slug, account_id, used + 1, :at::timestamptz from asked order by account_id
  on conflict (slug, account_id) do update
    set count = excluded.count, last_entered_at = excluded.last_entered_at, refused = null, refused_at = null
    where e.count + 1 = excluded.count
  returning account_id, count
)
insert into traversals (journey_id, slug, account_id, entry, entered_at, state, workflow_id)
select :journey_id, :slug, account_id, count, :at::timestamptz, :state::jsonb,
       :prefix || account_id || '/' || count
from entered
returning id;

-- name: note_refused
insert into entries as e (slug, account_id, refused, refused_at)
select :slug, r.account_id, r.rule, :at::timestamptz
from unnest(:account_ids::bigint[], :rules::text[]) as r (account_id, rule) order by r.account_id
on conflict (slug, account_id) do update set refused = excluded.refused, refused_at = excluded.refused_at
where e.refused is distinct from excluded.refused;

-- name: lock_day
select count from entry_days where slug = :slug and day = :day for update;

-- name: begin_day
insert into entry_days (slug, day) values (:slug, :day) on conflict do nothing;

-- name: count_day
update entry_days set count = count + :more where slug = :slug and day = :day;

-- name: next_due
select min(due_at) from admissions where journey_id = :journey_id and due_at > :at;

-- name: waits_to_enter
select exists (select from admissions where journey_id = :journey_id and due_at <= :at);

-- name: entries_of_account
select e.slug, e.count, e.last_entered_at, e.last_ended_at, e.refused, e.refused_at
from entries e where e.account_id = :account_id order by e.slug;

-- name: admissions_of_account
-- Where an account is queued and not inside: since when, from when on, and how many stand before it.
select j.slug, j.version, j.rules, j.paused_at, w.account_id, w.queued_at, w.due_at,
       (select count(distinct b.account_id) from admissions b
        where b.journey_id = w.journey_id and b.due_at <= :at and (b.due_at, b.id) < (w.due_at, w.id)
          and b.account_id <> w.account_id) as ahead
from (select distinct on (journey_id) * from admissions
      where account_id = :account_id order by journey_id, due_at, id) w
join journeys j on j.id = w.journey_id
where not exists (select from traversals t
                  where t.slug = j.slug and t.account_id = w.account_id and t.ended_at is null)
order by j.slug, j.version;

-- name: entered_on
select count from entry_days where slug = :slug and day = :day;

-- name: admission_counts
select (select count(*) from admissions where journey_id = :journey_id) as queued,
       (select count(*) from traversals where journey_id = :journey_id) as entered,
       (select count(*) from traversals where journey_id = :journey_id and not started and ended_at is null) as unstarted;
