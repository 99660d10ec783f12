-- name: known_{table} for accounts, people
select external_id, id from {table} where external_id = any(:external_ids::text[]);

-- name: import_{table} for accounts, people
-- One page of source rows. Only rows whose digest changed are looked at, only cells that changed since the source's
-- last word are written, and only where no later word stands. Every write goes to the outbox. A record that is one
-- with others, or was, takes it as its own word (`said`): the unified record is folded anew behind this.
-- What the source said last is looked up row by row, by its key (`offset 0`): before a young table has statistics all
-- that a source ever said passes for one row, which a join would go through anew for each row of the page.
with incoming as (
  select * from unnest(:external_ids::text[], :digests::bytea[], :cells::jsonb[], :ats::timestamptz[])
    as i (external_id, digest, cells, at)
), fresh as (
  select i.external_id, i.digest, i.at, stamp(i.at) as stamp,
         case when s.cells is null then jsonb_strip_nulls(i.cells)
              else (select coalesce(jsonb_object_agg(c.key, c.value), '{}'::jsonb) from jsonb_each(i.cells) c
                    where coalesce(s.cells -> c.key, 'null') is distinct from c.value) end as fields
  from incoming i
  left join lateral (
    select digest, cells from source_rows
    where entity = '{table}' and external_id = i.external_id and source = :source offset 0
  ) s on true
  where s.digest is distinct from i.digest
), noted as (
  insert into source_rows as s (entity, external_id, source, digest, cells, as_of)
  select '{table}', external_id, :source, digest, fields, at from fresh
  on conflict (entity, external_id, source) do update
    set digest = excluded.digest,
        cells = s.cells || newer_cells(s.cells, s.stamps, s.as_of, excluded.cells, excluded.as_of),
        stamps = s.stamps || stamps_of(newer_cells(s.cells, s.stamps, s.as_of, excluded.cells, excluded.as_of), stamp(excluded.as_of))
), judged as (
  select t.id, t.external_id, f.at, f.stamp, u.id is not null as is_united,
         winning_fields(f.fields, coalesce(u.stamps, t.stamps), f.stamp, true) as fields
  from fresh f join {table} t on t.external_id = f.external_id
  left join united u on u.entity = :entity and u.id = t.id
), updated as (
  update {table} t
  set attributes = jsonb_strip_nulls(t.attributes || j.fields), stamps = t.stamps || stamps_of(j.fields, j.stamp)
  from judged j where t.id = j.id and j.fields <> '{}' and not j.is_united
  returning t.id, j.fields, j.at
), said as (
  update united u
  set attributes = jsonb_strip_nulls(u.attributes || j.fields), stamps = u.stamps || stamps_of(j.fields, j.stamp)
  from judged j where u.entity = :entity and u.id = j.id and j.fields <> '{}' and j.is_united
  returning u.id, u.survivor_id
), new as materialized (
  select nextval('record_ids') as id, f.external_id, f.fields, f.stamp, f.at
  from fresh f where not exists (select from {table} t where t.external_id = f.external_id)
), inserted as (
  insert into {table} (id, external_id, attributes, stamps)
  select id, external_id, fields, stamps_of(fields, stamp) from new
), changed as (
  insert into changes (entity, id, fields, as_of, origin)
  select :entity, w.id, w.fields, w.at, 'import'
  from (select id, fields, at from updated union all select id, fields, at from new) w
)
select (select count(*) from new) as new,
       (select coalesce(array_agg(external_id), '{}') from fresh) as looked_at,
       (select coalesce(array_agg(external_id), '{}')
        from (select external_id from new union all select external_id from judged where fields <> '{}') w) as touched,
       (select coalesce(array_agg(id), '{}') from (select id from new union all select id from updated
                                                   union all select id from said) w) as written,
       (select coalesce(array_agg(distinct survivor_id), '{}') from said) as to_refold;

-- name: import_opportunities
-- Of the account that stands for the one the row names; whose it is by its own word is kept beside it.
with incoming as (
  select i.*, coalesce(a.merged_into, a.id) as account_id,
         case when a.merged_into is not null then a.id end as own_account_id
  from unnest(:external_ids::text[], :digests::bytea[], :cells::jsonb[], :ats::timestamptz[], :accounts::text[])
    as i (external_id, digest, cells, at, account)
  join accounts a on a.external_id = i.account
), fresh as (
  select i.external_id, i.digest, i.at, stamp(i.at) as stamp, i.account_id, i.own_account_id,
         case when s.cells is null then jsonb_strip_nulls(i.cells)
              else (select coalesce(jsonb_object_agg(c.key, c.value), '{}'::jsonb) from jsonb_each(i.cells) c
                    where coalesce(s.cells -> c.key, 'null') is distinct from c.value) end as fields
  from incoming i
  left join lateral (
    select digest, cells from source_rows
    where entity = 'opportunities' and external_id = i.external_id and source = :source offset 0
  ) s on true
  where s.digest is distinct from i.digest
), noted as (
  insert into source_rows as s (entity, external_id, source, digest, cells, as_of)
  select 'opportunities', external_id, :source, digest, fields, at from fresh
  on conflict (entity, external_id, source) do update
    set digest = excluded.digest,
        cells = s.cells || newer_cells(s.cells, s.stamps, s.as_of, excluded.cells, excluded.as_of),
        stamps = s.stamps || stamps_of(newer_cells(s.cells, s.stamps, s.as_of, excluded.cells, excluded.as_of), stamp(excluded.as_of))
), judged as (
  select t.id, t.external_id, f.account_id, f.own_account_id, f.at, f.stamp,
         winning_fields(f.fields, t.stamps, f.stamp, true) as fields, t.account_id as was_of,
         (t.account_id, t.own_account_id) is distinct from (f.account_id, f.own_account_id) as moved
  from fresh f join opportunities t on t.external_id = f.external_id
), updated as (
  update opportunities t
  set account_id = j.account_id, own_account_id = j.own_account_id,
      attributes = jsonb_strip_nulls(t.attributes || j.fields), stamps = t.stamps || stamps_of(j.fields, j.stamp)
  from judged j where t.id = j.id and (j.fields <> '{}' or j.moved)
  returning t.id, j.fields, j.at
), new as materialized (
  select nextval('record_ids') as id, f.external_id, f.account_id, f.own_account_id, f.fields, f.stamp, f.at
  from fresh f where not exists (select from opportunities t where t.external_id = f.external_id)
), inserted as (
  insert into opportunities (id, external_id, account_id, own_account_id, attributes, stamps)
  select id, external_id, account_id, own_account_id, fields, stamps_of(fields, stamp) from new
), changed as (
  insert into changes (entity, id, fields, as_of, origin)
  select 'opportunity', w.id, w.fields, w.at, 'import'
  from (select id, fields, at from updated union all select id, fields, at from new) w
  -- the account it has left has changed too
  union all select 'account', j.was_of, '{}', j.at, 'import' from judged j where j.account_id <> j.was_of
)
select (select count(*) from new) as new,
       (select coalesce(array_agg(external_id), '{}')
        from (select external_id from new
              union all select external_id from judged where fields <> '{}' or moved) w) as touched;

-- name: import_relations
-- Between the records that the row names, whoever stands for them; those of unified records are united behind this.
with incoming as (
  select i.*, a.id as account_id, p.id as person_id
  from unnest(:external_ids::text[], :digests::bytea[], :cells::jsonb[], :ats::timestamptz[], :accounts::text[], :people::text[])
    as i (external_id, digest, cells, at, account, person)
  join accounts a on a.external_id = i.account
  join people p on p.external_id = i.person
), fresh as (
  select i.external_id, i.digest, i.at, stamp(i.at) as stamp, i.account_id, i.person_id,
         case when s.cells is null then jsonb_strip_nulls(i.cells)
              else (select coalesce(jsonb_object_agg(c.key, c.value), '{}'::jsonb) from jsonb_each(i.cells) c
                    where coalesce(s.cells -> c.key, 'null') is distinct from c.value) end as fields
  from incoming i
  left join lateral (
    select digest, cells from source_rows
    where entity = 'relations' and external_id = i.external_id and source = :source offset 0
  ) s on true
  where s.digest is distinct from i.digest
), noted as (
  insert into source_rows as s (entity, external_id, source, digest, cells, as_of)
  select 'relations', external_id, :source, digest, fields, at from fresh
  on conflict (entity, external_id, source) do update
    set digest = excluded.digest,
        cells = s.cells || newer_cells(s.cells, s.stamps, s.as_of, excluded.cells, excluded.as_of),
        stamps = s.stamps || stamps_of(newer_cells(s.cells, s.stamps, s.as_of, excluded.cells, excluded.as_of), stamp(excluded.as_of))
), judged as (
  select t.id, f.external_id, f.at, f.stamp, u.id is not null as is_united,
         coalesce(u.id is not null or exists (select from united o where o.entity = 'relation' and o.survivor_id = t.id), false) as is_one,
         winning_fields(f.fields, case when u.id is not null then u.stamps
                                       when exists (select from united o where o.entity = 'relation' and o.survivor_id = t.id) then '{}'
                                       else t.stamps end, f.stamp, true) as fields
  from fresh f join relations t on t.account_id = f.account_id and t.person_id = f.person_id
  left join united u on u.entity = 'relation' and u.id = t.id
), updated as (
  update relations t
  set attributes = jsonb_strip_nulls(t.attributes || j.fields), stamps = t.stamps || stamps_of(j.fields, j.stamp)
  from judged j where t.id = j.id and j.fields <> '{}' and not j.is_one
  returning t.id, j.fields, j.at
), said as (
  insert into united as u (entity, id, survivor_id, attributes, stamps, at)
  select 'relation', j.id, j.id, jsonb_strip_nulls(j.fields), stamps_of(j.fields, j.stamp), j.at
  from judged j where j.is_one and (j.fields <> '{}' or not j.is_united)
  on conflict (entity, id) do update
    set attributes = jsonb_strip_nulls(u.attributes || excluded.attributes), stamps = u.stamps || excluded.stamps
  returning u.id
), new as materialized (
  select nextval('record_ids') as id, f.external_id, f.account_id, f.person_id, f.fields, f.stamp, f.at
  from fresh f
  where not exists (select from relations t where t.account_id = f.account_id and t.person_id = f.person_id)
), inserted as (
  insert into relations (id, account_id, person_id, attributes, stamps)
  select id, account_id, person_id, fields, stamps_of(fields, stamp) from new
), changed as (
  insert into changes (entity, id, fields, as_of, origin)
  select 'relation', w.id, w.fields, w.at, 'import'
  from (select id, fields, at from updated union all select id, fields, at from new) w
)
select (select count(*) from new) as new,
       (select coalesce(array_agg(external_id), '{}')
        from (select external_id from new
              union all select external_id from judged where fields <> '{}' or (is_one and not is_united)) w) as touched;
