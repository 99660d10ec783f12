-- What this store holds of a person, as in the engage store.

-- name: personal_people
select to_jsonb(t) as held from people t where t.id = :person_id and t.erased_at is null;

-- name: personal_{table} for relations, activities, segment_members
select to_jsonb(t) as held from {table} t where t.person_id = :person_id order by to_jsonb(t)::text;

-- name: personal_source_rows
-- A relation's row is named by its account and its person.
select to_jsonb(t) as held from source_rows t
where (t.entity = 'people' and t.external_id = any(:external_ids::text[]))
   or case when t.entity = 'relations' then t.external_id::jsonb ->> 1 end = any(:external_ids::text[])
order by t.entity, t.external_id;

-- name: personal_{table} for audience_members, audience_flips, audience_departures
select to_jsonb(t) as held from {table} t join audiences a on a.slug = t.audience and a.of = 'people'
where t.subject_id = :person_id order by t.audience;

-- name: personal_changes
select to_jsonb(t) as held from changes t
where (t.entity = 'person' and t.id = :person_id)
   or (t.entity = 'relation' and t.id in (select id from relations where person_id = :person_id))
order by t.epoch, t.xid, t.seq;

-- name: find_person
select id, external_id, attributes from people
where external_id = :key or casefold(attributes ->> 'email') = casefold(:key)
order by (external_id = :key) desc, id limit 1;

-- name: person_by_id
select id, external_id, attributes from people where id = :id and erased_at is null;

-- name: erase_people
update people set external_id = 'erased-' || id, attributes = '{}', stamps = '{}',
                  deleted_at = coalesce(deleted_at, :at), erased_at = :at
where id = :person_id and erased_at is null returning 1;

-- name: erase_relations
update relations set attributes = '{}', stamps = '{}', deleted_at = coalesce(deleted_at, :at)
where person_id = :person_id returning 1;

-- name: erase_activities
update activities set fields = '{}', external_id = null where person_id = :person_id returning 1;

-- name: erase_segment_members
delete from segment_members where person_id = :person_id returning 1;

-- name: erase_source_rows
delete from source_rows t
where (t.entity = 'people' and t.external_id = any(:external_ids::text[]))
   or case when t.entity = 'relations' then t.external_id::jsonb ->> 1 end = any(:external_ids::text[])
returning 1;

-- name: erase_{table} for audience_members, audience_flips, audience_departures
delete from {table} t using audiences a
where a.slug = t.audience and a.of = 'people' and t.subject_id = :person_id returning 1;

-- name: erase_changes
update changes set fields = '{}'
where (entity = 'person' and id = :person_id)
   or (entity = 'relation' and id in (select id from relations where person_id = :person_id))
returning 1;

-- name: tell_erased
-- Audiences look again at the accounts they were of, and the engage store hears that they belong to none any more.
insert into changes (entity, id, as_of, origin)
select 'relation', id, :at, 'erasure' from relations where person_id = :person_id order by id;

-- name: others_at
select external_id from people
where casefold(attributes ->> 'email') = any(:folded::text[]) and id <> :person_id and erased_at is null;

-- name: phones_of_others
-- Whole numbers are compared by who asks, for they are written in many ways.
select distinct n.number from people p cross join lateral (values (p.attributes ->> 'mobile_phone'), (p.attributes ->> 'phone')) n (number)
where right(regexp_replace(n.number, '\D', '', 'g'), 7) = any(:ends::text[]) and p.id <> :person_id and p.erased_at is null;
