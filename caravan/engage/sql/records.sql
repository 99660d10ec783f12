-- name: set_account_field
-- Writes one field and its as_of, to the outbox too; no row comes back where it had that value already.
with changed as (
  update accounts
  set attributes = jsonb_strip_nulls(attributes || :fields::jsonb), stamps = stamps || stamps_of(:fields, stamp(:at))
  where id = :id and coalesce(attributes -> :field::text, 'null'::jsonb) is distinct from (:fields::jsonb -> :field::text)
  returning id
)
insert into changes (entity, id, fields, as_of, origin)
select 'account', id, :fields::jsonb, :at, 'journey' from changed
returning id;

-- name: set_person_fields
-- In order of id, as everybody locks people.
with wanted as (
  select * from unnest(:ids::bigint[], :fields::jsonb[]) as w (id, fields)
), before as (
  select p.id, p.attributes -> :field::text as old from people p join wanted w on w.id = p.id
  order by p.id for no key update of p
)
update people p
set attributes = jsonb_strip_nulls(p.attributes || w.fields), stamps = p.stamps || stamps_of(w.fields, stamp(:at))
from wanted w, before b
where p.id = w.id and b.id = p.id
  and coalesce(b.old, 'null'::jsonb) is distinct from (w.fields -> :field::text)
returning p.id, b.old;

-- name: set_opportunity_fields
update opportunities o
set attributes = jsonb_strip_nulls(o.attributes || :fields::jsonb), stamps = o.stamps || stamps_of(:fields, stamp(:at))
where o.id = any(:ids::bigint[])
  and coalesce(o.attributes -> :field::text, 'null'::jsonb) is distinct from (:fields::jsonb -> :field::text)
returning o.id, old.attributes -> :field::text as old;

-- name: change_scores
-- By so much, or to a value; only those come back whom it changes. The people are locked before their scores:
-- a new score asks for its person anyway (it refers to them), but behind itself.
with held as materialized (
  select id from people where id = any(:person_ids::bigint[]) order by id for no key update
)
insert into scores as s (person_id, score, value)
select p.id, :score, coalesce(:to::bigint, :start::bigint + :by::bigint)
from held p
where exists (select from scores k where k.person_id = p.id and k.score = :score)
   or coalesce(:to::bigint, :start::bigint + :by::bigint) <> :start::bigint
order by p.id
on conflict (person_id, score) do update set value = coalesce(:to::bigint, s.value + :by::bigint)
where s.value <> coalesce(:to::bigint, s.value + :by::bigint)
returning s.person_id, coalesce(old.value, :start::bigint) as old, new.value as new;

-- name: write_changes
-- To the outbox: only what changed, with its as_of.
insert into changes (entity, id, fields, as_of, origin)
select :entity, c.id, c.fields, :at, 'journey' from unnest(:ids::bigint[], :fields::jsonb[]) as c (id, fields);

-- name: flag_{table} for accounts, people, relations, opportunities
-- As deleted, or, without `deleted_at`, as there again. The flag is a word like any other: with its as_of, to the
-- outbox, and judged by the Platform.
with flagged as (
  update {table} set deleted_at = :deleted_at, stamps = stamps || jsonb_build_object('$deleted', stamp(:at))
  where id = any(:ids::bigint[]) and (deleted_at is null) <> (:deleted_at::timestamptz is null)
  returning id, deleted_at
)
insert into changes (entity, id, fields, as_of, origin)
select :entity, id, jsonb_build_object('$deleted', stamp(deleted_at)), :at, 'journey' from flagged
returning id;

-- name: find_account
-- Whoever stands for the one that is asked for.
select w.id, w.external_id, w.attributes, w.deleted_at
from accounts a join accounts w on w.id = coalesce(a.merged_into, a.id) where a.external_id = :key;

-- name: find_person
-- Whoever stands for the one who is asked for.
select w.id, w.external_id, w.attributes, w.deleted_at
from people p join people w on w.id = coalesce(p.merged_into, p.id)
where p.external_id = :key or casefold(p.attributes ->> 'email') = casefold(:key)
order by (p.external_id = :key) desc, w.id limit 1;

-- name: relations_of_person
-- The accounts somebody belongs to, each with the roles they have there.
select a.external_id as account, a.attributes ->> 'name' as account_name,
       coalesce(r.attributes -> 'roles', '[]') as roles
from relations r join accounts a on a.id = r.account_id
where r.person_id = :person_id and r.deleted_at is null and a.deleted_at is null
order by a.external_id collate "C";

-- name: people_of_account
select p.id, p.external_id, p.attributes, r.attributes as relation
from relations r join people p on p.id = r.person_id
where r.account_id = :account_id and r.deleted_at is null and p.deleted_at is null order by p.id;

-- name: find_recipients
-- A person by id or address, once for each of their accounts.
select p.id as person_id, p.external_id as person, p.attributes as person_fields,
       a.id as account_id, a.external_id as account, a.attributes as account_fields
from people p
join relations r on r.person_id = p.id and r.deleted_at is null
join accounts a on a.id = r.account_id and a.deleted_at is null
where p.deleted_at is null
  and (p.external_id = :key or casefold(p.attributes ->> 'email') = casefold(:key))
order by p.external_id <> :key, p.id, a.external_id collate "C";
