-- Loading a subscription's accounts, people, relations and opportunities up into the sandbox it is paired with.

-- name: highest_number
-- Read in the engage store.
select greatest((select coalesce(max(id), 0) from accounts), (select coalesce(max(id), 0) from people),
                (select coalesce(max(id), 0) from relations), (select coalesce(max(id), 0) from opportunities));

-- name: erasures_here
select hash, of, key_id, person_id, at from erasures;

-- name: bring_erasures
insert into erasures (hash, of, key_id, person_id, at)
select * from unnest(:hashes::bytea[], :ofs::text[], :key_ids::text[], :person_ids::bigint[], :ats::timestamptz[])
on conflict do nothing;

-- name: read_accounts
-- Read in the engage store, as are the three that follow: the core tables are the same in both.
select id, external_id, attributes::text as attributes, stamps::text as stamps, deleted_at
from accounts where id > :after order by id limit :limit;

-- name: read_people
-- In either: who is to be erased is looked for in both.
select id, external_id, attributes::text as attributes, attributes ->> 'email' as email, stamps::text as stamps,
       deleted_at, erased_at
from people where id > :after order by id limit :limit;

-- name: read_relations
select id, account_id, person_id, attributes::text as attributes, stamps::text as stamps, deleted_at
from relations where id > :after order by id limit :limit;

-- name: read_opportunities
select id, external_id, account_id, attributes::text as attributes, stamps::text as stamps, deleted_at
from opportunities where id > :after order by id limit :limit;

-- name: forget_what_was_told
-- Nobody reads this outbox but the engage store of a pair, and the next one begins behind it.
truncate changes;

-- name: forget_segments
-- Those of journeys of whatever subscription it had before.
truncate segments, segment_members;

-- name: numbers_taken_in_{table} for accounts, people, relations, opportunities
-- Each gets a number that nobody has.
select id as old, nextval('record_ids') as new from {table} where id = any(:ids::bigint[]);

-- name: own_numbers_in_{table} for accounts, people, opportunities
select t.id, t.external_id from {table} t
join unnest(:ids::bigint[], :external_ids::text[]) as i (id, external_id) on i.id = t.id and i.external_id = t.external_id;

-- name: own_numbers_in_relations
select t.id from relations t
join unnest(:ids::bigint[], :account_ids::bigint[], :person_ids::bigint[]) as i (id, account_id, person_id)
  on i.id = t.id and i.account_id = t.account_id and i.person_id = t.person_id;

-- name: other_numbers_in_{table} for accounts, people, opportunities
select t.id as old, i.id as new from {table} t
join unnest(:ids::bigint[], :external_ids::text[]) as i (id, external_id) on i.external_id = t.external_id and i.id <> t.id;

-- name: other_numbers_in_relations
select t.id as old, i.id as new from relations t
join unnest(:ids::bigint[], :account_ids::bigint[], :person_ids::bigint[]) as i (id, account_id, person_id)
  on i.account_id = t.account_id and i.person_id = t.person_id and i.id <> t.id;

-- name: load_{table} for accounts, people, relations, opportunities
-- Of records that both stores have, by field: the later stamp wins, the Platform itself on a tie. What changed
-- here is told as `sync`, for audiences; where the subscription lacks something it goes down as `verdict`. One that is
-- one with others is folded from words and not written here: what the subscription says of it is said behind this.
-- `$deleted` is judged as a field and kept in its column, as where changes are merged.
with incoming as materialized (
  select id, attributes::jsonb, stamps::jsonb, deleted_at
  from unnest(:ids::bigint[], :attributes::text[], :stamps::text[], :deleted::timestamptz[])
    as i (id, attributes, stamps, deleted_at)
), judged as (
  select t.id, f.*,
         (t.deleted_at is distinct from i.deleted_at and not coalesce(f.stamps ? '$deleted', false))
           or t.stamps || coalesce(f.stamps, '{}') <> i.stamps as lacks,
         exists (select from united u where u.entity = :entity and (u.id = t.id or u.survivor_id = t.id)) as is_one
  from incoming i join {table} t on t.id = i.id
  cross join lateral (
    select jsonb_object_agg(s.key, case s.key when '$deleted' then to_jsonb(stamp(i.deleted_at))
                                              else i.attributes -> s.key end) as fields,
           jsonb_object_agg(s.key, s.value) as stamps
    from jsonb_each_text(i.stamps) s where coalesce(t.stamps ->> s.key < s.value, true)
  ) f
), updated as (
  update {table} t
  set attributes = jsonb_strip_nulls(t.attributes || (j.fields - '$deleted')), stamps = t.stamps || j.stamps,
      deleted_at = case when j.fields ? '$deleted' then (j.fields ->> '$deleted')::timestamptz else t.deleted_at end
  from judged j where t.id = j.id and j.stamps is not null and not j.is_one
), told as (
  insert into changes (entity, id, fields, as_of, origin)
  select :entity::text, id, fields, :at::timestamptz, 'sync' from judged where stamps is not null and not is_one
  union all
  select :entity::text, id, '{}', :at::timestamptz, 'verdict' from judged where lacks or is_one or :entity = 'account'
)
select id, stamps as later, is_one from judged;

-- name: add_accounts
with added as (
  insert into accounts (id, external_id, attributes, stamps, deleted_at)
  select i.id, i.external_id, i.attributes::jsonb, i.stamps::jsonb, i.deleted_at
  from unnest(:ids::bigint[], :external_ids::text[], :attributes::text[], :stamps::text[], :deleted::timestamptz[])
    as i (id, external_id, attributes, stamps, deleted_at)
  where not exists (select from accounts t where t.id = i.id)
  returning id, attributes
)
insert into changes (entity, id, fields, as_of, origin) select 'account', id, attributes, :at::timestamptz, 'sync' from added;

-- name: add_people
with added as (
  insert into people (id, external_id, attributes, stamps, deleted_at, erased_at)
  select i.id, i.external_id, i.attributes::jsonb, i.stamps::jsonb, i.deleted_at, i.erased_at
  from unnest(:ids::bigint[], :external_ids::text[], :attributes::text[], :stamps::text[], :deleted::timestamptz[],
                         :erased::timestamptz[])
    as i (id, external_id, attributes, stamps, deleted_at, erased_at)
  where not exists (select from people t where t.id = i.id)
  returning id, attributes
)
insert into changes (entity, id, fields, as_of, origin) select 'person', id, attributes, :at::timestamptz, 'sync' from added;

-- name: add_relations
-- Of people who were erased from the sandbox nothing comes.
with added as (
  insert into relations (id, account_id, person_id, attributes, stamps, deleted_at)
  select i.id, i.account_id, i.person_id, i.attributes::jsonb, i.stamps::jsonb, i.deleted_at
  from unnest(:ids::bigint[], :account_ids::bigint[], :person_ids::bigint[], :attributes::text[], :stamps::text[],
                         :deleted::timestamptz[])
    as i (id, account_id, person_id, attributes, stamps, deleted_at)
  join people p on p.id = i.person_id
  where not exists (select from relations t where t.id = i.id)
  returning id, attributes
)
insert into changes (entity, id, fields, as_of, origin) select 'relation', id, attributes, :at::timestamptz, 'sync' from added;

-- name: add_opportunities
with added as (
  insert into opportunities (id, external_id, account_id, attributes, stamps, deleted_at)
  select i.id, i.external_id, i.account_id, i.attributes::jsonb, i.stamps::jsonb, i.deleted_at
  from unnest(:ids::bigint[], :external_ids::text[], :account_ids::bigint[], :attributes::text[], :stamps::text[],
                         :deleted::timestamptz[])
    as i (id, external_id, account_id, attributes, stamps, deleted_at)
  where not exists (select from opportunities t where t.id = i.id)
  returning id, attributes
)
insert into changes (entity, id, fields, as_of, origin) select 'opportunity', id, attributes, :at::timestamptz, 'sync' from added;

-- name: announce_{table} for account_id, person_id
-- The history of who was in the sandbox before goes down; the subscription knows what of it it has.
insert into changes (entity, id, as_of, origin)
select 'activity', id, :at::timestamptz, 'verdict' from activities where {table} = any(:ids::bigint[]) order by id;

-- name: note_taking_apart
-- Of a pair that was ready: its numbers agree, so what waits may go up, whoever goes on with it.
insert into cursors (stream) values (:stream) on conflict do nothing;

-- name: is_being_taken_apart
select exists (select from cursors where stream = :stream);

-- name: forget_taking_apart
delete from cursors where stream = :stream;

-- name: look_at_all_again
-- Rules have not looked at what came up.
update identity_rules set matched_to = 0;

-- name: forget_load
-- The next time the two are paired, all comes up anew.
delete from cursors where stream = :stream;
