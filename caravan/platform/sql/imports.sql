-- name: known_{table} for accounts, people
select external_id, id from {table} where external_id = any(:external_ids::text[]);

-- name: import_{table} for accounts, people
-- One page of source rows. Only rows whose digest changed are looked at, only cells that changed since
-- the last import are written, and only where no later word stands. Every write goes to the outbox.
with incoming as (
  select * from unnest(:external_ids::text[], :digests::bytea[], :cells::jsonb[]) as i (external_id, digest, cells)
), fresh as (
  select i.external_id, i.digest, i.cells, s.external_id is null as is_new,
         case when s.cells is null then jsonb_strip_nulls(i.cells)
              else (select coalesce(jsonb_object_agg(c.key, c.value), '{}'::jsonb) from jsonb_each(i.cells) c
                    where coalesce(s.cells -> c.key, 'null') is distinct from c.value) end as fields
  from incoming i
  left join source_rows s on s.entity = '{table}' and s.external_id = i.external_id
  where s.digest is distinct from i.digest
), noted as (
  insert into source_rows (entity, external_id, digest, cells)
  select '{table}', external_id, digest, cells from fresh
  on conflict (entity, external_id) do update
    set digest = excluded.digest, cells = source_rows.cells || excluded.cells
), judged as (
  select t.id, winning_fields(f.fields, t.stamps, stamp(:at), true) as fields
  from fresh f join {table} t on t.external_id = f.external_id
), updated as (
  update {table} t
  set attributes = jsonb_strip_nulls(t.attributes || j.fields), stamps = t.stamps || stamps_of(j.fields, stamp(:at))
  from judged j where t.id = j.id and j.fields <> '{}'
  returning t.id, j.fields
), inserted as (
  insert into {table} (id, external_id, attributes, stamps)
  select nextval('record_ids'), f.external_id, f.fields, stamps_of(f.fields, stamp(:at))
  from fresh f where not exists (select from {table} t where t.external_id = f.external_id)
  returning id, attributes as fields
), changed as (
  insert into changes (entity, id, fields, as_of, origin)
  select :entity, w.id, w.fields, :at, 'import' from (select * from updated union all select * from inserted) w
)
select (select count(*) from inserted) as new, (select count(*) from updated) as changed,
       (select count(*) from incoming) - (select count(*) from inserted) - (select count(*) from updated) as unchanged;

-- name: import_opportunities
with incoming as (
  select i.*, a.id as account_id
  from unnest(:external_ids::text[], :digests::bytea[], :cells::jsonb[], :accounts::text[])
    as i (external_id, digest, cells, account)
  join accounts a on a.external_id = i.account
), fresh as (
  select i.external_id, i.digest, i.cells, i.account_id,
         case when s.cells is null then jsonb_strip_nulls(i.cells)
              else (select coalesce(jsonb_object_agg(c.key, c.value), '{}'::jsonb) from jsonb_each(i.cells) c
                    where coalesce(s.cells -> c.key, 'null') is distinct from c.value) end as fields
  from incoming i
  left join source_rows s on s.entity = 'opportunities' and s.external_id = i.external_id
  where s.digest is distinct from i.digest
), noted as (
  insert into source_rows (entity, external_id, digest, cells)
  select 'opportunities', external_id, digest, cells from fresh
  on conflict (entity, external_id) do update
    set digest = excluded.digest, cells = source_rows.cells || excluded.cells
), judged as (
  select t.id, f.account_id, winning_fields(f.fields, t.stamps, stamp(:at), true) as fields,
         t.account_id as was_of, t.account_id is distinct from f.account_id as moved
  from fresh f join opportunities t on t.external_id = f.external_id
), updated as (
  update opportunities t
  set account_id = j.account_id, attributes = jsonb_strip_nulls(t.attributes || j.fields),
      stamps = t.stamps || stamps_of(j.fields, stamp(:at))
  from judged j where t.id = j.id and (j.fields <> '{}' or j.moved)
  returning t.id, j.fields
), inserted as (
  insert into opportunities (id, external_id, account_id, attributes, stamps)
  select nextval('record_ids'), f.external_id, f.account_id, f.fields, stamps_of(f.fields, stamp(:at))
  from fresh f where not exists (select from opportunities t where t.external_id = f.external_id)
  returning id, attributes as fields
), changed as (
  insert into changes (entity, id, fields, as_of, origin)
  select 'opportunity', w.id, w.fields, :at, 'import' from (select * from updated union all select * from inserted) w
  -- the account it has left has changed too
  union all select 'account', j.was_of, '{}', :at, 'import' from judged j where j.moved
)
select (select count(*) from inserted) as new, (select count(*) from updated) as changed,
       (select count(*) from incoming) - (select count(*) from inserted) - (select count(*) from updated) as unchanged;

-- name: import_relations
with incoming as (
  select i.*, a.id as account_id, p.id as person_id
  from unnest(:external_ids::text[], :digests::bytea[], :cells::jsonb[], :accounts::text[], :people::text[])
    as i (external_id, digest, cells, account, person)
  join accounts a on a.external_id = i.account
  join people p on p.external_id = i.person
), fresh as (
  select i.external_id, i.digest, i.cells, i.account_id, i.person_id,
         case when s.cells is null then jsonb_strip_nulls(i.cells)
              else (select coalesce(jsonb_object_agg(c.key, c.value), '{}'::jsonb) from jsonb_each(i.cells) c
                    where coalesce(s.cells -> c.key, 'null') is distinct from c.value) end as fields
  from incoming i
  left join source_rows s on s.entity = 'relations' and s.external_id = i.external_id
  where s.digest is distinct from i.digest
), noted as (
  insert into source_rows (entity, external_id, digest, cells)
  select 'relations', external_id, digest, cells from fresh
  on conflict (entity, external_id) do update
    set digest = excluded.digest, cells = source_rows.cells || excluded.cells
), judged as (
  select t.id, winning_fields(f.fields, t.stamps, stamp(:at), true) as fields
  from fresh f join relations t on t.account_id = f.account_id and t.person_id = f.person_id
), updated as (
  update relations t
  set attributes = jsonb_strip_nulls(t.attributes || j.fields), stamps = t.stamps || stamps_of(j.fields, stamp(:at))
  from judged j where t.id = j.id and j.fields <> '{}'
  returning t.id, j.fields
), inserted as (
  insert into relations (id, account_id, person_id, attributes, stamps)
  select nextval('record_ids'), f.account_id, f.person_id, f.fields, stamps_of(f.fields, stamp(:at))
  from fresh f
  where not exists (select from relations t where t.account_id = f.account_id and t.person_id = f.person_id)
  returning id, attributes as fields
), changed as (
  insert into changes (entity, id, fields, as_of, origin)
  select 'relation', w.id, w.fields, :at, 'import' from (select * from updated union all select * from inserted) w
)
select (select count(*) from inserted) as new, (select count(*) from updated) as changed,
       (select count(*) from incoming) - (select count(*) from inserted) - (select count(*) from updated) as unchanged;
