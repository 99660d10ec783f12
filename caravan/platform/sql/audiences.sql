-- name: lock_to_edit
-- Whoever evaluates meanwhile by the old condition is waited for, else those it looked at would be
-- questioned by nobody.
select pg_advisory_xact_lock(hashtext(current_schema() || '.audiences'));

-- name: lock_to_evaluate
select pg_advisory_xact_lock_shared(hashtext(current_schema() || '.audiences'));

-- name: store_audience
insert into audiences (slug, of, zone, condition) values (:slug, :of, :zone, :condition)
on conflict (slug) do nothing returning slug;

-- name: edit_audience
-- Comes back with a row only where it says something else than before.
update audiences set of = :of, zone = :zone, condition = :condition, edition = edition + 1, evaluated_at = null
where slug = :slug and (of, zone, condition) is distinct from (:of, :zone, :condition)
returning slug;

-- name: question_all_{table} for accounts, people
-- As when time passes: nobody wrote anything, and any membership may have changed.
insert into changes (entity, id, as_of, origin)
select :entity, id, :at, 'time' from {table} where deleted_at is null order by id;

-- name: conditions
select slug, of, zone, condition from audiences;

-- name: edition
-- Of all audiences together: one may name others.
select coalesce(sum(edition), 0)::bigint from audiences;

-- name: allow_minutes
-- A question to millions reads for longer than a page may take; it writes nothing and holds nobody up. So does a
-- rehearsal, for which others wait. By 0 the clock that is running is stopped: another limit would not move it.
select set_config('transaction_timeout', '0', true), set_config('transaction_timeout', '30min', true);

-- name: snapshot
select pg_current_snapshot()::text;

-- name: settle_members
-- Who matches among the subjects of a stretch of ids, as a whole evaluation has found; the others there leave.
with matching as materialized (
  select id from unnest(:subject_ids::bigint[]) as s (id)
), departed as (
  delete from audience_members m
  where m.audience = :audience and m.subject_id > :after and m.subject_id <= :upto
    and not exists (select from matching where matching.id = m.subject_id)
  returning m.subject_id, m.qualified_at
), noted as (
  insert into audience_departures (audience, subject_id, qualified_at, left_at)
  select :audience, subject_id, qualified_at, :at from departed
)
insert into audience_members (audience, subject_id, qualified_at)
select :audience, id, :at::timestamptz from matching
on conflict do nothing;

-- name: stretch_of_{table} for accounts, people
-- The last id of the next stretch of subjects; null behind the last.
select max(id) from (select id from {table} where id > :after order by id limit :limit) s;

-- name: question_unseen
-- Whatever has changed since a snapshot is looked at again: a whole evaluation has gone by what it saw then, and may
-- have overwritten what the stream has found since. A change that commits later is read later than this commits.
-- Of an event whoever it happened to is asked about: it does not happen again.
with unseen as materialized (
  select distinct entity, id from changes
  where epoch = (select max(epoch) from changes)
    and xid >= pg_snapshot_xmin(:snapshot::text::pg_snapshot)
    and not pg_visible_in_snapshot(xid, :snapshot::text::pg_snapshot)
), happened as (
  select v.account_id, v.person_id from unseen u join activities v on v.id = u.id where u.entity = 'activity'
)
insert into changes (entity, id, as_of, origin)
select q.entity, q.id, :at::timestamptz, 'time'
from (select entity, id from unseen where entity <> 'activity'
      union select 'account', account_id from happened where account_id is not null
      union select 'person', person_id from happened where person_id is not null) q
order by 1, 2;

-- name: audiences
select a.slug, a.of, a.evaluated_at, a.condition,
       (select count(*) from audience_members m where m.audience = a.slug) as members
from audiences a order by a.slug;

-- name: mark_evaluated
update audiences set evaluated_at = :at where slug = :slug;

-- name: member_page
select subject_id from audience_members
where audience = :audience and subject_id > :after order by subject_id limit :limit;

-- name: members_among
select audience, subject_id from audience_members
where audience = any(:audiences::text[]) and subject_id = any(:subject_ids::bigint[]);

-- name: audience_of
select of from audiences where slug = :slug;

-- name: people_among
-- The people of accounts, also those who are that no more.
select distinct person_id as id from relations where account_id = any(:account_ids::bigint[]) order by id;

-- name: named_page
-- The accounts with these outside ids that may leave the Platform.
select id from named_accounts
where external_id = any(:names::text[]) and id > :after and deleted_at is null order by id limit :limit;

-- name: named_among
select id from named_accounts
where id = any(:account_ids::bigint[]) and external_id = any(:names::text[]) and deleted_at is null order by id;

-- name: question_named
-- As when time passes: nobody wrote anything, and somebody wants them looked at.
insert into changes (entity, id, as_of, origin)
select 'account', id, :at, 'time' from accounts where external_id = any(:names::text[]) and deleted_at is null order by id;

-- name: flips_of_audience
-- Those due next, and how many there are.
select f.subject_id, x.external_id, f.next_flip, count(*) over () as waiting
from audience_flips f join audiences a on a.slug = f.audience
cross join lateral (select external_id from accounts where a.of = 'accounts' and id = f.subject_id
                    union all select external_id from people where a.of = 'people' and id = f.subject_id) x
where f.audience = :audience order by f.next_flip, f.subject_id limit :limit;

-- name: joins_of_audience
-- The latest, also of those who have left since.
select m.subject_id, x.external_id, m.qualified_at
from (select subject_id, qualified_at from audience_members where audience = :audience
      union all select subject_id, qualified_at from audience_departures where audience = :audience
      order by qualified_at desc, subject_id limit :limit) m
cross join lateral (select external_id from accounts where :of = 'accounts' and id = m.subject_id
                    union all select external_id from people where :of = 'people' and id = m.subject_id) x
order by m.qualified_at desc, m.subject_id;

-- name: departures_of_audience
select d.subject_id, x.external_id, d.qualified_at, d.left_at
from (select * from audience_departures where audience = :audience order by left_at desc, id desc limit :limit) d
cross join lateral (select external_id from accounts where :of = 'accounts' and id = d.subject_id
                    union all select external_id from people where :of = 'people' and id = d.subject_id) x
order by d.left_at desc, d.id desc;

-- name: audiences_of_account
select a.slug, m.qualified_at from audiences a join audience_members m on m.audience = a.slug and m.subject_id = :account_id
where a.of = 'accounts' order by a.slug;

-- name: departures_of_account
select d.audience, d.qualified_at, d.left_at
from audience_departures d join audiences a on a.slug = d.audience and a.of = 'accounts'
where d.subject_id = :account_id order by d.left_at desc, d.id desc limit :limit;

-- name: sample_of_accounts
select external_id, attributes ->> 'name' as name from accounts where id = any(:ids::bigint[]) order by id;

-- name: sample_of_people
select external_id, attributes ->> 'email' as name from people where id = any(:ids::bigint[]) order by id;

-- name: members_since
select subject_id, qualified_at from audience_members
where audience = :audience and subject_id = any(:subject_ids::bigint[]);

-- name: touched_accounts
-- The accounts that changed records belong to.
select unnest(:account_ids::bigint[]) as id
union select account_id from relations where person_id = any(:person_ids::bigint[])
union select account_id from relations where id = any(:relation_ids::bigint[])
union select account_id from opportunities where id = any(:opportunity_ids::bigint[])
union select account_id from activities where id = any(:activity_ids::bigint[]) and account_id is not null
union select r.account_id from activities v join relations r on r.person_id = v.person_id
      where v.id = any(:activity_ids::bigint[]);

-- name: accounts_beside
-- The accounts that share a person with those that changed records belong to, also by a relation that is no more.
-- Of a relation it is that person alone; what a person is, and does, all their accounts are touched by anyway. In
-- arrays, so that each is found by index, however many relations there are.
select distinct r.account_id as id from relations r
where r.person_id = any(array(
  select o.person_id from relations o
  where o.account_id = any(:account_ids::bigint[] || array(select account_id from opportunities where id = any(:opportunity_ids::bigint[])))
  union select person_id from relations where id = any(:relation_ids::bigint[])));

-- name: touched_people
-- The people whom changed records are about; those of touched accounts come with these.
select unnest(:person_ids::bigint[]) as id
union select person_id from relations where id = any(:relation_ids::bigint[])
union select person_id from activities where id = any(:activity_ids::bigint[]) and person_id is not null;

-- name: announce_due_flips
-- A membership that may have changed by time alone becomes a change of its own in the outbox, in the
-- same statement that takes the date off; so it is followed like any other, and cannot get lost.
with due as (
  select audience, subject_id from audience_flips where next_flip <= :at
  order by next_flip limit :limit for update skip locked
), taken as (
  delete from audience_flips f using due
  where f.audience = due.audience and f.subject_id = due.subject_id
  returning f.audience, f.subject_id
)
insert into changes (entity, id, as_of, origin)
select distinct case a.of when 'accounts' then 'account' else 'person' end, t.subject_id, :at::timestamptz, 'time'
from taken t join audiences a on a.slug = t.audience;

-- name: store_segment
insert into segments (journey, version, audience, built_at) values (:journey, :version, :audience, :at)
on conflict (journey, version) do update set built_at = excluded.built_at;

-- name: fill_segment
-- The people of the audience's accounts that may leave the Platform; those without an address stay out.
insert into segment_members (journey, version, account_id, person_id)
select :journey, :version, r.account_id, r.person_id
from audience_members m
join named_accounts a on a.id = m.subject_id and a.deleted_at is null
join relations r on r.account_id = a.id and r.deleted_at is null
join people p on p.id = r.person_id and p.deleted_at is null and p.attributes ? 'email'
where m.audience = :audience and m.subject_id = any(:account_ids::bigint[])
on conflict do nothing;

-- name: fill_segment_of
-- As above, of accounts that another store chose.
insert into segment_members (journey, version, account_id, person_id)
select :journey, :version, r.account_id, r.person_id
from named_accounts a
join relations r on r.account_id = a.id and r.deleted_at is null
join people p on p.id = r.person_id and p.deleted_at is null and p.attributes ? 'email'
where a.id = any(:account_ids::bigint[]) and a.deleted_at is null
on conflict do nothing;

-- name: segment_size
select count(distinct account_id) as accounts, count(distinct person_id) as people
from segment_members where journey = :journey and version = :version;

-- name: named_accounts
-- Those that would come into the engage store: without a name they stay here.
select id from accounts
where id = any(:ids::bigint[]) and deleted_at is null and coalesce(attributes ->> 'name', '') <> '';
