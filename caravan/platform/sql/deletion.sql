-- name: delete_{table} for accounts, people, relations, opportunities
-- The flag with its stamp, as fields have theirs, and a row of the outbox for each that did not have it. A later
-- word, of the engage store, stands.
with said as (
  select * from unnest(:ids::bigint[], :ats::timestamptz[]) as s (id, at)
), flagged as (
  update {table} t set deleted_at = s.at, stamps = t.stamps || jsonb_build_object('$deleted', stamp(s.at))
  from said s where t.id = s.id and t.deleted_at is null and coalesce(t.stamps ->> '$deleted' <= stamp(s.at), true)
  returning t.id, s.at
)
insert into changes (entity, id, fields, as_of, origin)
select :entity, id, jsonb_build_object('$deleted', stamp(at)), at, 'deletion' from flagged order by id returning id;

-- name: restore_{table} for accounts, people, relations, opportunities
-- Of a person who was erased nothing comes back: see people_stay_erased.
with said as (
  select * from unnest(:ids::bigint[], :ats::timestamptz[]) as s (id, at)
), freed as (
  update {table} t set deleted_at = null, stamps = t.stamps || jsonb_build_object('$deleted', stamp(s.at))
  from said s where t.id = s.id and t.deleted_at is not null and coalesce(t.stamps ->> '$deleted' <= stamp(s.at), true)
  returning t.id, s.at
)
insert into changes (entity, id, fields, as_of, origin)
select :entity, id, jsonb_build_object('$deleted', null), at, 'deletion' from freed order by id returning id;

-- name: flagged_{table} for accounts, people, opportunities
-- Of a page of a file: those that have the flag, or those that have it not, each by its own word where it is one
-- with others; `place`: of the row that names it, from 1.
select t.id, w.place
from unnest(:external_ids::text[]) with ordinality as w (external_id, place)
join {table} t on t.external_id = w.external_id
left join united u on u.entity = :entity and u.id = t.id
where (case when u.id is null then t.deleted_at else u.deleted_at end is not null) = :deleted order by t.id;

-- name: related_by
select r.id, w.place
from unnest(:accounts::text[], :people::text[]) with ordinality as w (account, person, place)
join accounts a on a.external_id = w.account
join people p on p.external_id = w.person
join relations r on r.account_id = a.id and r.person_id = p.id
left join united u on u.entity = 'relation' and u.id = r.id
where (case when u.id is null then r.deleted_at else u.deleted_at end is not null) = :deleted order by r.id;

-- name: find_{table} for accounts, people
-- Whoever stands for the one that is asked for.
select w.id, w.external_id, w.deleted_at
from {table} t join {table} w on w.id = coalesce(t.merged_into, t.id) where t.external_id = :external_id;

-- name: find_opportunities
select id, external_id, deleted_at from opportunities where external_id = :external_id;
