-- name: delete_{table} for accounts, people, relations, opportunities
-- The flag with its stamp, as fields have theirs, and a row of the outbox for each that did not have it. A later
-- word, of the engage store, stands.
with flagged as (
  update {table} set deleted_at = :at::timestamptz, stamps = stamps || jsonb_build_object('$deleted', stamp(:at))
  where id = any(:ids::bigint[]) and deleted_at is null and coalesce(stamps ->> '$deleted' <= stamp(:at), true)
  returning id
)
insert into changes (entity, id, fields, as_of, origin)
select :entity, id, jsonb_build_object('$deleted', stamp(:at)), :at::timestamptz, 'deletion' from flagged order by id returning id;

-- name: restore_{table} for accounts, people, relations, opportunities
-- Of a person who was erased nothing comes back: see people_stay_erased.
with freed as (
  update {table} set deleted_at = null, stamps = stamps || jsonb_build_object('$deleted', stamp(:at))
  where id = any(:ids::bigint[]) and deleted_at is not null and coalesce(stamps ->> '$deleted' <= stamp(:at), true)
  returning id
)
insert into changes (entity, id, fields, as_of, origin)
select :entity, id, jsonb_build_object('$deleted', null), :at::timestamptz, 'deletion' from freed order by id returning id;

-- name: flagged_{table} for accounts, people, opportunities
-- Of a page of a file: those that have the flag, or those that have it not.
select id from {table}
where external_id = any(:external_ids::text[]) and (deleted_at is not null) = :deleted order by id;

-- name: related_by
select r.id
from unnest(:accounts::text[], :people::text[]) as w (account, person)
join accounts a on a.external_id = w.account
join people p on p.external_id = w.person
join relations r on r.account_id = a.id and r.person_id = p.id
where (r.deleted_at is not null) = :deleted order by r.id;

-- name: find_{table} for accounts, people, opportunities
select id, external_id, deleted_at from {table} where external_id = :external_id;
