-- Both stores have the core tables, so that one question is asked of each.

-- name: page_of_{table} for accounts, people, relations, opportunities
select t.id, to_jsonb(t) as record from {table} t where t.id > :after order by t.id limit :limit;

-- name: these_{table} for accounts, people, relations, opportunities
select t.id, to_jsonb(t) as record from {table} t where t.id = any(:ids::bigint[]) order by t.id;

-- name: which_of_{table} for accounts, people, relations, opportunities
select t.id from {table} t where t.id = any(:ids::bigint[]);

-- name: belonging_to
-- What belongs to accounts that the engage store holds and therefore is to be there too: see people_to_bring.
select 'person' as entity, p.id from people p
where p.stamps ? 'email' and exists (select from relations r where r.person_id = p.id and r.account_id = any(:account_ids::bigint[]))
union all
select 'relation', r.id from relations r join people p on p.id = r.person_id
where r.account_id = any(:account_ids::bigint[]) and p.stamps ? 'email'
union all
select 'opportunity', o.id from opportunities o where o.account_id = any(:account_ids::bigint[]);

-- name: under_way
-- Of these records, those with a change behind the other store's cursor.
select distinct c.id from changes c
where (c.epoch, c.xid, c.seq) > (:epoch::int, :xid::text::xid8, :seq::bigint)
  and c.entity = :entity and c.id = any(:ids::bigint[]);

-- name: group_relations
-- Tables, views and columns that speak of buying groups: the Platform has none.
select distinct c.relname as relation
from pg_class c
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
  and (c.relname ~ :words or a.attname ~ :words)
order by 1;

-- name: group_activities
-- Events of buying groups, by type.
select type, count(*) as number from activities where type = any(:types::text[]) group by type order by type;

-- name: group_changes
select entity, count(*) as number from changes where entity ~ :words group by entity order by entity;

-- name: tell_up
-- The engage store's later word, once more to its outbox.
insert into changes (entity, id, fields, as_of, origin)
select :entity, * , 'repair' from unnest(:ids::bigint[], :fields::jsonb[], :as_ofs::timestamptz[]);

-- name: tell_down
-- The Platform's word, once more to its outbox.
insert into changes (entity, id, as_of, origin)
select :entity, id, :at, 'verdict' from unnest(:ids::bigint[]) as i (id);

-- name: return_accounts
-- Records that the Platform has lost come back from the engage store, under their numbers.
with back as (
  insert into accounts (id, external_id, attributes, stamps, deleted_at)
  select * from jsonb_to_recordset(:records::jsonb) as r (id bigint, external_id text, attributes jsonb, stamps jsonb, deleted_at timestamptz)
  on conflict do nothing
  returning id
)
insert into changes (entity, id, as_of, origin) select 'account', id, :at, 'sync' from back returning id;

-- name: return_people
with back as (
  insert into people (id, external_id, attributes, stamps, deleted_at, erased_at)
  select * from jsonb_to_recordset(:records::jsonb)
    as r (id bigint, external_id text, attributes jsonb, stamps jsonb, deleted_at timestamptz, erased_at timestamptz)
  on conflict do nothing
  returning id
)
insert into changes (entity, id, as_of, origin) select 'person', id, :at, 'sync' from back returning id;

-- name: return_relations
with back as (
  insert into relations (id, account_id, person_id, attributes, stamps, deleted_at)
  select r.* from jsonb_to_recordset(:records::jsonb)
    as r (id bigint, account_id bigint, person_id bigint, attributes jsonb, stamps jsonb, deleted_at timestamptz)
  join accounts a on a.id = r.account_id join people p on p.id = r.person_id
  on conflict do nothing
  returning id
)
insert into changes (entity, id, as_of, origin) select 'relation', id, :at, 'sync' from back returning id;

-- name: return_opportunities
with back as (
  insert into opportunities (id, external_id, account_id, attributes, stamps, deleted_at)
  select r.* from jsonb_to_recordset(:records::jsonb)
    as r (id bigint, external_id text, account_id bigint, attributes jsonb, stamps jsonb, deleted_at timestamptz)
  join accounts a on a.id = r.account_id
  on conflict do nothing
  returning id
)
insert into changes (entity, id, as_of, origin) select 'opportunity', id, :at, 'sync' from back returning id;
