-- name: lock_identities
-- Whoever makes records one, or takes them apart, is alone with what is recorded about them.
select pg_advisory_xact_lock(hashtext(current_schema() || '.identities'));

-- name: share_identities
select pg_advisory_xact_lock_shared(hashtext(current_schema() || '.identities'));

-- name: identity_rules
select slug, of, match, matched_to from identity_rules order by slug;

-- name: forget_identity_rules
delete from identity_rules where not slug = any(:slugs::text[]);

-- name: store_identity_rule
-- A rule that is new, or says something else than before, has looked at nobody yet.
insert into identity_rules (slug, of, match, matched_to) values (:slug, :of, :match, 0)
on conflict (slug) do update set of = excluded.of, match = excluded.match, matched_to = 0
where (identity_rules.of, identity_rules.match) is distinct from (excluded.of, excluded.match);

-- name: note_matched_to
update identity_rules set matched_to = :matched_to where slug = any(:slugs::text[]);

-- name: next_{table}_to_match for accounts, people
select id from {table} where id > :after order by id limit :limit;

-- name: ids_of_{table} for accounts, people
select id from {table} where external_id = any(:external_ids::text[]);

-- name: own_words_of_{table} for accounts, people
-- What each of these records says by itself, where it is not gone for good.
select t.id, t.external_id as name, coalesce(u.attributes, t.attributes) as attributes
from {table} t left join united u on u.entity = :entity and u.id = t.id
where t.id = any(:ids::bigint[]) and case when u.id is null then t.deleted_at else u.deleted_at end is null;

-- name: renew_match_keys
-- Null: the record has none under that rule any more.
with said as (
  select * from unnest(:record_ids::bigint[], :rules::text[], :keys::bytea[]) as s (record_id, rule, key)
), gone as (
  delete from match_keys m using said s
  where s.key is null and m.entity = :entity and m.record_id = s.record_id and m.rule = s.rule
)
insert into match_keys as m (entity, record_id, rule, key)
select :entity, record_id, rule, key from said where key is not null
on conflict (entity, record_id, rule) do update set key = excluded.key where m.key <> excluded.key;

-- name: sharing_keys
-- All who have a key that one of these has, where they are several.
select m.rule, array_agg(m.record_id order by m.record_id) as ids
from (select distinct rule, key from match_keys where entity = :entity and record_id = any(:ids::bigint[])) k
join match_keys m on m.entity = :entity and m.rule = k.rule and m.key = k.key
group by m.rule, m.key having count(*) > 1;

-- name: survivors_of
select id, survivor_id from united where entity = :entity and id = any(:ids::bigint[]);

-- name: one_with_others
select u.id, u.survivor_id from united u
where u.entity = :entity and u.id = any(:ids::bigint[])
  and exists (select from united o where o.entity = u.entity and o.survivor_id = u.survivor_id and o.id <> u.id);

-- name: members_of
select survivor_id, array_agg(id order by id) as ids from united
where entity = :entity and survivor_id = any(:survivor_ids::bigint[]) group by survivor_id;

-- name: pairs_kept_apart
select id, other_id from kept_apart
where entity = :entity and (id = any(:ids::bigint[]) or other_id = any(:ids::bigint[]));

-- name: is_anything_united
select exists (select from united);

-- name: note_merges
insert into merges (entity, record_id, like_id, survivor_id, rule, matched, source, at)
select :entity, m.*, :source, :at
from unnest(:record_ids::bigint[], :like_ids::bigint[], :survivor_ids::bigint[], :rules::text[], :matched::jsonb[]) as m;

-- name: merges_of
select m.id, m.record_id, m.like_id, m.rule, m.matched, m.source, m.at, m.undone_at, m.undone_why
from merges m
where m.entity = :entity and (m.record_id = any(:ids::bigint[]) or m.like_id = any(:ids::bigint[]))
order by m.id;

-- name: undo_merges
update merges set undone_at = :at, undone_why = :why where id = any(:ids::bigint[]) and undone_at is null;

-- name: find_records_of_{table} for accounts, people
-- A record by its outside id, whoever stands for it now.
select id, external_id, coalesce(merged_into, id) as survivor_id, deleted_at is not null and merged_into is null as gone
from {table} where external_id = :key;

-- name: find_people_at
select id, external_id, coalesce(merged_into, id) as survivor_id, false as gone
from people where casefold(attributes ->> 'email') = casefold(:key) and deleted_at is null order by id;

-- name: one_with_{table} for accounts, people
select id, external_id, attributes, stamps, id = :survivor_id as stands_for_all
from {table} where id = :survivor_id or merged_into = :survivor_id order by id;

-- name: said_by_sources
select external_id, source, cells, stamps, as_of from source_rows
where entity = :table and external_id = any(:external_ids::text[]) order by external_id, source;

-- name: recent_merges
select m.id, m.entity, coalesce(a.external_id, p.external_id) as record, coalesce(la.external_id, lp.external_id) as like,
       m.rule, m.matched as by, m.source, m.at, m.undone_at, m.undone_why
from merges m
left join accounts a on m.entity = 'account' and a.id = m.record_id
left join accounts la on m.entity = 'account' and la.id = m.like_id
left join people p on m.entity = 'person' and p.id = m.record_id
left join people lp on m.entity = 'person' and lp.id = m.like_id
where :ids::bigint[] is null or (m.entity = :entity and (m.record_id = any(:ids::bigint[]) or m.like_id = any(:ids::bigint[])))
order by m.id desc limit :limit;
