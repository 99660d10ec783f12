-- name: write_{table} for accounts, people
-- One record, written by its outside id with a word that wins a tie; one that is not there yet comes to be.
with wanted as (
  select :external_id::text as external_id, :fields::jsonb as fields
), judged as (
  select t.id, winning_fields(w.fields, t.stamps, stamp(:at), true) as fields
  from wanted w join {table} t on t.external_id = w.external_id
), updated as (
  update {table} t
  set attributes = jsonb_strip_nulls(t.attributes || j.fields), stamps = t.stamps || stamps_of(j.fields, stamp(:at))
  from judged j where t.id = j.id and j.fields <> '{}'
  returning t.id, j.fields
), inserted as (
  insert into {table} (id, external_id, attributes, stamps)
  select nextval('record_ids'), w.external_id, jsonb_strip_nulls(w.fields), stamps_of(w.fields, stamp(:at))
  from wanted w where not exists (select from {table} t where t.external_id = w.external_id)
  returning id, attributes as fields
)
insert into changes (entity, id, fields, as_of, origin)
select :entity, w.id, w.fields, :at, 'import' from (select * from updated union all select * from inserted) w;

-- name: write_opportunity
-- Without an account it stays with the one it has.
with wanted as (
  select :external_id::text as external_id, :fields::jsonb as fields,
         (select coalesce(merged_into, id) from accounts where external_id = :account::text) as account_id
), judged as (
  select t.id, t.account_id as was_of, coalesce(w.account_id, t.account_id) as account_id,
         winning_fields(w.fields, t.stamps, stamp(:at), true) as fields
  from wanted w join opportunities t on t.external_id = w.external_id
), updated as (
  update opportunities t
  set account_id = j.account_id, attributes = jsonb_strip_nulls(t.attributes || j.fields),
      stamps = t.stamps || stamps_of(j.fields, stamp(:at))
  from judged j where t.id = j.id and (j.fields <> '{}' or j.account_id <> t.account_id)
  returning t.id, j.fields
), inserted as (
  insert into opportunities (id, external_id, account_id, attributes, stamps)
  select nextval('record_ids'), w.external_id, w.account_id, jsonb_strip_nulls(w.fields), stamps_of(w.fields, stamp(:at))
  from wanted w
  where w.account_id is not null and not exists (select from opportunities t where t.external_id = w.external_id)
  returning id, attributes as fields
)
insert into changes (entity, id, fields, as_of, origin)
select 'opportunity', w.id, w.fields, :at, 'import' from (select * from updated union all select * from inserted) w
-- the account it has left has changed too
union all select 'account', j.was_of, '{}', :at, 'import' from judged j where j.account_id <> j.was_of;

-- name: write_relation
with wanted as (
  select a.id as account_id, p.id as person_id, :fields::jsonb as fields
  from accounts a, people p where a.external_id = :account and p.external_id = :person
), judged as (
  select t.id, winning_fields(w.fields, t.stamps, stamp(:at), true) as fields
  from wanted w join relations t on t.account_id = w.account_id and t.person_id = w.person_id
), updated as (
  update relations t
  set attributes = jsonb_strip_nulls(t.attributes || j.fields), stamps = t.stamps || stamps_of(j.fields, stamp(:at))
  from judged j where t.id = j.id and j.fields <> '{}'
  returning t.id, j.fields
), inserted as (
  insert into relations (id, account_id, person_id, attributes, stamps)
  select nextval('record_ids'), w.account_id, w.person_id, jsonb_strip_nulls(w.fields), stamps_of(w.fields, stamp(:at))
  from wanted w
  where not exists (select from relations t where t.account_id = w.account_id and t.person_id = w.person_id)
  returning id, attributes as fields
)
insert into changes (entity, id, fields, as_of, origin)
select 'relation', w.id, w.fields, :at, 'import' from (select * from updated union all select * from inserted) w;

-- name: say_of_relation
-- One that is one with others takes it as its own word: the united relation is folded anew behind this.
update united u
set attributes = jsonb_strip_nulls(u.attributes || :fields::jsonb), stamps = u.stamps || stamps_of(:fields::jsonb, stamp(:at))
from relations r join accounts a on a.id = r.account_id join people p on p.id = r.person_id
where a.external_id = :account and p.external_id = :person and u.entity = 'relation' and u.id = r.id;
