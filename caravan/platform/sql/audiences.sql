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
update audiences set of = :of, zone = :zone, condition = :condition, evaluated_at = null
where slug = :slug and (of, zone, condition) is distinct from (:of, :zone, :condition)
returning slug;

-- name: question_all_{table} for accounts, people
-- As when time passes: nobody wrote anything, and any membership may have changed.
insert into changes (entity, id, as_of, origin)
select :entity, id, :at, 'time' from {table} where deleted_at is null order by id;

-- name: conditions
select slug, of, zone, condition from audiences;

-- name: audiences
select a.slug, a.of, a.evaluated_at, a.condition,
       (select count(*) from audience_members m where m.audience = a.slug) as members
from audiences a order by a.slug;

-- name: mark_evaluated
update audiences set evaluated_at = :at where slug = :slug;

-- name: member_page
select subject_id from audience_members
where audience = :audience and subject_id > :after order by subject_id limit :limit;

-- name: audience_size
select count(*) from audience_members where audience = :audience;

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
where m.audience = :audience and (:account_ids::bigint[] is null or m.subject_id = any(:account_ids::bigint[]))
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
