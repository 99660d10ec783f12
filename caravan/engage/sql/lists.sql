-- name: lock_lists
-- Whoever edits lists and whoever evaluates them take turns.
select pg_advisory_xact_lock(hashtext(current_schema() || '.lists'));

-- name: list_kind
select condition is not null as dynamic from lists where of = :of and slug = :slug;

-- name: store_list
insert into lists as l (of, slug, zone, condition, audiences) values (:of, :slug, :zone, :condition, :audiences)
on conflict (of, slug) do update
  set zone = excluded.zone, condition = excluded.condition, audiences = excluded.audiences,
      xid = pg_current_xact_id(), evaluated_at = null
  where (l.zone, l.condition, l.audiences) is distinct from (excluded.zone, excluded.condition, excluded.audiences);

-- name: empty_list
-- Of another type now: who was in it by the old rule is not by the new one.
with flips as (
  delete from list_flips where of = :of and list = :slug
), named as (
  delete from list_named where of = :of and list = :slug
)
delete from list_members where of = :of and list = :slug returning subject_id;

-- name: unname_{table} for accounts, people
-- Those the document has named and does not any more leave.
with gone as (
  delete from list_named where of = '{table}' and list = :slug and not external_id = any(:names::text[])
  returning external_id
), removed as (
  delete from list_members m using {table} t, gone
  where m.of = '{table}' and m.list = :slug and t.id = m.subject_id and t.external_id = gone.external_id
  returning m.subject_id
), questioned as (
  insert into list_questions (of, subject_id)
  select '{table}', subject_id from removed where exists (select from lists where condition is not null)
)
select subject_id from removed;

-- name: name_members
insert into list_named (of, list, external_id) select :of, :slug, unnest(:names::text[])
on conflict do nothing;

-- name: settle_{table} for accounts, people
-- Those whom documents name and who are here become members, once.
with due as (
  select n.list, n.external_id, t.id
  from list_named n join {table} t on t.external_id = n.external_id
  where n.of = '{table}' and not n.settled and t.deleted_at is null and (:ids::bigint[] is null or t.id = any(:ids::bigint[]))
), settled as (
  update list_named n set settled = true from due
  where n.of = '{table}' and n.list = due.list and n.external_id = due.external_id
), joined as (
  insert into list_members (of, list, subject_id, qualified_at)
  select '{table}', list, id, :at from due order by list, id on conflict do nothing
  returning list, subject_id
), questioned as (
  insert into list_questions (of, subject_id)
  select '{table}', subject_id from joined where exists (select from lists where condition is not null)
)
select list, subject_id from joined;

-- name: unsettled_names
select external_id from list_named
where of = :of and list = any(:lists::text[]) and not settled order by external_id;

-- name: add_members
with joined as (
  insert into list_members (of, list, subject_id, qualified_at)
  select :of, :slug, s.id, :at from unnest(:subject_ids::bigint[]) as s (id) order by s.id
  on conflict do nothing returning subject_id
), questioned as (
  insert into list_questions (of, subject_id)
  select :of, subject_id from joined where exists (select from lists where condition is not null)
)
select subject_id from joined;

-- name: remove_members
with removed as (
  delete from list_members
  where of = :of and list = :slug and subject_id = any(:subject_ids::bigint[]) returning subject_id
), questioned as (
  insert into list_questions (of, subject_id)
  select :of, subject_id from removed where exists (select from lists where condition is not null)
)
select subject_id from removed;

-- name: list_journeys
-- The journeys that take new entries from these account lists.
select id, slug, version, audience from journeys
where of_list and audience = any(:lists::text[]) and state = 'live' order by id;

-- name: list_member_page
select subject_id from list_members
where of = 'accounts' and list = :list and subject_id > :after order by subject_id limit :limit;

-- name: listed_since
-- Which of these accounts are in a list, and since when without a break.
select subject_id, qualified_at from list_members
where of = 'accounts' and list = :list and subject_id = any(:account_ids::bigint[]);

-- name: list_members_all
select subject_id from list_members where of = 'accounts' and list = :list order by subject_id;

-- name: lists
select l.of, l.slug, l.condition is not null as dynamic, l.evaluated_at,
       (select count(*) from list_members m where m.of = l.of and m.list = l.slug) as members,
       (select count(*) from list_named n where n.of = l.of and n.list = l.slug and not n.settled) as absent
from lists l order by l.of, l.slug;
