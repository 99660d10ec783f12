-- What this store holds of a person, as in the engage store.

-- name: personal_people
select to_jsonb(t) as held from people t where t.id = any(:person_ids::bigint[]) and t.erased_at is null;

-- name: personal_{table} for relations, activities, segment_members
select to_jsonb(t) as held from {table} t where t.person_id = any(:person_ids::bigint[]) order by to_jsonb(t)::text;

-- name: personal_source_rows
-- A relation's row is named by its account and its person.
select to_jsonb(t) as held from source_rows t
where (t.entity = 'people' and t.external_id = any(:external_ids::text[]))
   or case when t.entity = 'relations' then t.external_id::jsonb ->> 1 end = any(:external_ids::text[])
order by t.entity, t.external_id;

-- name: personal_{table} for audience_members, audience_flips, audience_departures
select to_jsonb(t) as held from {table} t join audiences a on a.slug = t.audience and a.of = 'people'
where t.subject_id = any(:person_ids::bigint[]) order by t.audience;

-- name: personal_changes
select to_jsonb(t) as held from changes t
where (t.entity = 'person' and t.id = any(:person_ids::bigint[]))
   or (t.entity = 'relation' and t.id in (select id from relations where person_id = any(:person_ids::bigint[])))
order by t.epoch, t.xid, t.seq;

-- name: find_person
-- Whoever stands for the one who is asked for.
select w.id, w.external_id, w.attributes from people p join people w on w.id = coalesce(p.merged_into, p.id)
where p.external_id = :key or casefold(p.attributes ->> 'email') = casefold(:key)
order by (p.external_id = :key) desc, w.id limit 1;

-- name: numbers_of_person
-- Their own, and those of the records that they stand for.
select id from people where id = :id or merged_into = :id order by id;

-- name: people_by_ids
-- Also by what was said of them before they were one with others.
select p.id, p.external_id, w.attributes
from people p
cross join lateral (select p.attributes union all
                    select u.attributes from united u where u.entity = 'person' and u.id = p.id) w
where p.id = any(:ids::bigint[]) and p.erased_at is null order by p.id;

-- name: personal_united
select to_jsonb(t) as held from united t
where (t.entity = 'person' and t.id = any(:person_ids::bigint[]))
   or (t.entity = 'relation' and t.id in (select id from relations where person_id = any(:person_ids::bigint[])))
order by t.entity, t.id;

-- name: personal_said_together
select to_jsonb(t) as held from said_together t
where t.entity = 'person' and t.survivor_id = any(:person_ids::bigint[]);

-- name: personal_match_keys
select to_jsonb(t) as held from match_keys t
where t.entity = 'person' and t.record_id = any(:person_ids::bigint[]) order by t.record_id, t.rule;

-- name: personal_merges
select to_jsonb(t) as held from merges t
where t.entity = 'person' and (t.record_id = any(:person_ids::bigint[]) or t.like_id = any(:person_ids::bigint[])) order by t.id;

-- name: personal_title_personas
-- What was read of their title, which others may bear too.
select to_jsonb(t) - 'vector' as held from title_personas t
where t.title in (select folded_title(attributes ->> 'job_title') from people where id = any(:person_ids::bigint[])) order by t.title;

-- name: personal_persona_questions
select to_jsonb(t) as held from persona_questions t where t.person_id = any(:person_ids::bigint[]) order by t.person_id;

-- name: erase_people
update people set external_id = 'erased-' || id, attributes = '{}', stamps = '{}', persona = null,
                  deleted_at = coalesce(deleted_at, :at), erased_at = :at
where id = any(:person_ids::bigint[]) and erased_at is null returning 1;

-- name: erase_relations
update relations set attributes = '{}', stamps = '{}', deleted_at = coalesce(deleted_at, :at)
where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_activities
update activities set fields = '{}', external_id = null where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_segment_members
delete from segment_members where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_united
delete from united t
where (t.entity = 'person' and t.id = any(:person_ids::bigint[]))
   or (t.entity = 'relation' and t.id in (select id from relations where person_id = any(:person_ids::bigint[])))
returning 1;

-- name: erase_said_together
delete from said_together where entity = 'person' and survivor_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_match_keys
delete from match_keys where entity = 'person' and record_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_merges
-- That records were one stays, as numbers.
update merges set matched = '{}', undone_why = null
where entity = 'person' and (record_id = any(:person_ids::bigint[]) or like_id = any(:person_ids::bigint[])) returning 1;

-- name: erase_title_personas
-- Behind the people: a title goes with the last who bears it, also one that somebody had before.
delete from title_personas t
where not exists (select from people p where folded_title(p.attributes ->> 'job_title') = t.title) returning 1;

-- name: erase_persona_questions
delete from persona_questions where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_source_rows
delete from source_rows t
where (t.entity = 'people' and t.external_id = any(:external_ids::text[]))
   or case when t.entity = 'relations' then t.external_id::jsonb ->> 1 end = any(:external_ids::text[])
returning 1;

-- name: erase_{table} for audience_members, audience_flips, audience_departures
delete from {table} t using audiences a
where a.slug = t.audience and a.of = 'people' and t.subject_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_changes
update changes set fields = '{}'
where (entity = 'person' and id = any(:person_ids::bigint[]))
   or (entity = 'relation' and id in (select id from relations where person_id = any(:person_ids::bigint[])))
returning 1;

-- name: tell_erased
-- Audiences look again at the accounts they were of, and the engage store hears that they belong to none any more.
insert into changes (entity, id, as_of, origin)
select 'relation', id, :at, 'erasure' from relations where person_id = any(:person_ids::bigint[]) order by id;

-- name: others_at
select external_id from people
where casefold(attributes ->> 'email') = any(:folded::text[]) and id <> all(:person_ids::bigint[]) and erased_at is null;

-- name: phones_of_others
-- Whole numbers are compared by who asks, for they are written in many ways.
select distinct n.number from people p cross join lateral (values (p.attributes ->> 'mobile_phone'), (p.attributes ->> 'phone')) n (number)
where right(regexp_replace(n.number, '\D', '', 'g'), 7) = any(:ends::text[]) and p.id <> all(:person_ids::bigint[]) and p.erased_at is null;
