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

-- name: renumber_people_in_{table} for relations, activities, erasures, persona_questions
update {table} t set person_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.person_id = m.old;

-- name: renumber_members_in_{table} for audience_members, audience_flips, audience_departures
update {table} t set subject_id = m.new
from unnest(:old::bigint[], :new::bigint[]) as m (old, new), audiences a
where t.subject_id = m.old and a.slug = t.audience and a.of = :of;

-- name: renumber_own_accounts_in_{table} for opportunities, activities
update {table} t set own_account_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.own_account_id = m.old;

-- name: renumber_own_people_in_activities
update activities t set own_person_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.own_person_id = m.old;

-- name: renumber_survivors_of_{table} for accounts, people
update {table} t set merged_into = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.merged_into = m.old;

-- name: renumber_own_words
update united t set id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.entity = :entity and t.id = m.old;

-- name: renumber_who_stands_for_them
update united t set survivor_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.entity = :entity and t.survivor_id = m.old;

-- name: renumber_what_was_said_together
update said_together t set survivor_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.entity = :entity and t.survivor_id = m.old;

-- name: renumber_match_keys
update match_keys t set record_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.entity = :entity and t.record_id = m.old;

-- name: renumber_merges_{table} for record, like, survivor
update merges t set {table}_id = m.new from unnest(:old::bigint[], :new::bigint[]) as m (old, new) where t.entity = :entity and t.{table}_id = m.old;

-- name: renumber_kept_apart
-- The lower of a pair stands first.
update kept_apart t set id = least(w.one, w.other), other_id = greatest(w.one, w.other)
from (select k.entity, k.id, k.other_id, coalesce(a.new, k.id) as one, coalesce(b.new, k.other_id) as other
      from kept_apart k
      left join unnest(:old::bigint[], :new::bigint[]) as a (old, new) on a.old = k.id
      left join unnest(:old::bigint[], :new::bigint[]) as b (old, new) on b.old = k.other_id
      where k.entity = :entity and (a.new is not null or b.new is not null)) w
where (t.entity, t.id, t.other_id) = (w.entity, w.id, w.other_id);
