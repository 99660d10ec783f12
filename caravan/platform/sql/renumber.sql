-- Giving records of a sandbox other numbers, and following them wherever a number stands. A subscription's
-- numbers are in workflows, links and mail that has gone; a sandbox's, while it belongs to nobody, only here.

-- name: let_numbers_move
set constraints all deferred;

-- name: raise_numbers
-- New numbers are beyond all of either store.
select setval('record_ids', greatest(:beyond::bigint, (select last_value from record_ids),
  (select coalesce(max(id), 0) from accounts), (select coalesce(max(id), 0) from people),
  (select coalesce(max(id), 0) from relations), (select coalesce(max(id), 0) from opportunities), 1));

-- name: renumber_{table} for accounts, relations, opportunities
update {table} t set id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.id = m.old;

-- name: renumber_people
-- A tombstone is named by its number.
update people t
set id = m.new, external_id = case when t.erased_at is null then t.external_id else 'erased-' || m.new end
from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.id = m.old;

-- name: renumber_accounts_in_{table} for relations, opportunities, activities
update {table} t set account_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.account_id = m.old;

-- name: renumber_people_in_{table} for relations, activities, erasures
update {table} t set person_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.person_id = m.old;

-- name: renumber_members_in_{table} for audience_members, audience_flips, audience_departures
update {table} t set subject_id = m.new
from unnest(:old::bigint[], :new::bigint[]) as m (old, new), audiences a
where t.subject_id = m.old and a.slug = t.audience and a.of = :of;
