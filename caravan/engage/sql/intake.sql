-- name: held_accounts
select id from accounts where id = any(:account_ids::bigint[]);

-- name: held_relations
select id from relations where account_id = any(:account_ids::bigint[]) and deleted_at is null;

-- name: lock_{table} for accounts, people, relations, opportunities
-- A statement of its own before they are compared: what a journey writes meanwhile is seen, not overwritten.
select from {table} where id = any(:ids::bigint[]) order by id for no key update;

-- name: lock_people_of_activities
-- As `lock_people`, of those whose first activity may be counted: `hold_engagement` asks for this lock of them.
select from people where id = any(:ids::bigint[]) order by id for update;

-- name: take_{table} for accounts, people
-- Rows as the Platform has them. Per field, a later or equal stamp of the Platform wins; one set anew to
-- the value it has takes the later stamp. So it is with the flag of deletion, whose stamp is `$deleted`;
-- whether another stands for it is the Platform's word alone. Nothing goes to the outbox: the Platform knows. Returns what changed in rows that were here already.
with incoming as (
  select * from unnest(:ids::bigint[], :external_ids::text[], :attributes::jsonb[], :stamps::jsonb[], :deleted::timestamptz[], :merged::bigint[])
    as i (id, external_id, attributes, stamps, deleted_at, merged_into)
), judged as (
  select t.id, t.attributes as before, i.merged_into,
         case when i.merged_into is not null then i.deleted_at
              when coalesce(t.stamps ->> '$deleted' > i.stamps ->> '$deleted', t.stamps ? '$deleted') and t.merged_into is null
              then t.deleted_at else i.deleted_at end as deleted_at, f.*
  from incoming i join {table} t on t.id = i.id
  cross join lateral (
    select jsonb_object_agg(s.key, i.attributes -> s.key) filter (where s.differs) as won,
           jsonb_object_agg(s.key, s.value) filter (where s.newer) as stamps
    from (select key, value, i.attributes -> key is distinct from t.attributes -> key as differs,
                 t.stamps ->> key is distinct from value as newer
          from jsonb_each_text(i.stamps) where coalesce(t.stamps ->> key <= value, true)) s
  ) f
), updated as (
  update {table} t
  set attributes = jsonb_strip_nulls(t.attributes || coalesce(j.won, '{}')),
      stamps = t.stamps || coalesce(j.stamps, '{}'),
      deleted_at = j.deleted_at, merged_into = j.merged_into
  from judged j where t.id = j.id and (j.stamps is not null or j.won is not null 
    or (t.deleted_at, t.merged_into) is distinct from (j.deleted_at, j.merged_into))
), inserted as (
  insert into {table} (id, external_id, attributes, stamps, deleted_at, merged_into)
  select id, external_id, attributes, stamps, deleted_at, merged_into from incoming i
  where not exists (select from {table} t where t.id = i.id)
  on conflict do nothing
)
select j.id, f.key as field, j.before -> f.key as old, f.value as new
from judged j, jsonb_each(j.won) f where j.merged_into is null;

-- name: take_personas
-- As the Platform has told them; nobody here writes any. Returns what changed.
with incoming as (
  select * from unnest(:ids::bigint[], :personas::text[]) as i (id, persona)
)
update people p set persona = i.persona from incoming i
where p.id = i.id and p.persona is distinct from i.persona
returning p.id, old.persona as old, new.persona as new;

-- name: take_relations
with incoming as (
  select * from unnest(:ids::bigint[], :account_ids::bigint[], :person_ids::bigint[], :attributes::jsonb[], :stamps::jsonb[], :deleted::timestamptz[])
    as i (id, account_id, person_id, attributes, stamps, deleted_at)
), judged as (
  select t.id,
         case when coalesce(t.stamps ->> '$deleted' > i.stamps ->> '$deleted', t.stamps ? '$deleted')
              then t.deleted_at else i.deleted_at end as deleted_at, f.*
  from incoming i join relations t on t.id = i.id
  cross join lateral (
    select jsonb_object_agg(s.key, i.attributes -> s.key) filter (where s.differs) as won,
           jsonb_object_agg(s.key, s.value) filter (where s.newer) as stamps
    from (select key, value, i.attributes -> key is distinct from t.attributes -> key as differs,
                 t.stamps ->> key is distinct from value as newer
          from jsonb_each_text(i.stamps) where coalesce(t.stamps ->> key <= value, true)) s
  ) f
), updated as (
  update relations t
  set attributes = jsonb_strip_nulls(t.attributes || coalesce(j.won, '{}')),
      stamps = t.stamps || coalesce(j.stamps, '{}'),
      deleted_at = j.deleted_at
  from judged j where t.id = j.id and (j.stamps is not null or j.won is not null or t.deleted_at is distinct from j.deleted_at)
)
insert into relations (id, account_id, person_id, attributes, stamps, deleted_at)
select i.id, i.account_id, i.person_id, i.attributes, i.stamps, i.deleted_at
from incoming i
where not exists (select from relations t where t.id = i.id)
  and exists (select from accounts a where a.id = i.account_id)
  and exists (select from people p where p.id = i.person_id)
on conflict do nothing;

-- name: take_opportunities
with incoming as (
  select * from unnest(:ids::bigint[], :external_ids::text[], :account_ids::bigint[], :attributes::jsonb[], :stamps::jsonb[], :deleted::timestamptz[])
    as i (id, external_id, account_id, attributes, stamps, deleted_at)
), judged as (
  select t.id, t.attributes as before, i.account_id,
         case when coalesce(t.stamps ->> '$deleted' > i.stamps ->> '$deleted', t.stamps ? '$deleted')
              then t.deleted_at else i.deleted_at end as deleted_at, f.*
  from incoming i join opportunities t on t.id = i.id
  cross join lateral (
    select jsonb_object_agg(s.key, i.attributes -> s.key) filter (where s.differs) as won,
           jsonb_object_agg(s.key, s.value) filter (where s.newer) as stamps
    from (select key, value, i.attributes -> key is distinct from t.attributes -> key as differs,
                 t.stamps ->> key is distinct from value as newer
          from jsonb_each_text(i.stamps) where coalesce(t.stamps ->> key <= value, true)) s
  ) f
), updated as (
  update opportunities t
  set attributes = jsonb_strip_nulls(t.attributes || coalesce(j.won, '{}')),
      stamps = t.stamps || coalesce(j.stamps, '{}'),
      deleted_at = j.deleted_at, account_id = j.account_id
  from judged j
  where t.id = j.id and (j.stamps is not null or j.won is not null or t.deleted_at is distinct from j.deleted_at or t.account_id <> j.account_id)
), inserted as (
  insert into opportunities (id, external_id, account_id, attributes, stamps, deleted_at)
  select i.id, i.external_id, i.account_id, i.attributes, i.stamps, i.deleted_at from incoming i
  where not exists (select from opportunities t where t.id = i.id)
    and exists (select from accounts a where a.id = i.account_id)
  on conflict do nothing
)
select j.account_id as id, f.key as field, j.before -> f.key as old, f.value as new
from judged j, jsonb_each(j.won) f;
