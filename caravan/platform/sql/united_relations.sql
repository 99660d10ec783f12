-- name: relations_to_unite
-- All relations between the same account and the same person as these, taking for each who stands for it.
with asked as (
  select distinct coalesce(a.merged_into, a.id) as account_id, coalesce(p.merged_into, p.id) as person_id
  from relations r join accounts a on a.id = r.account_id join people p on p.id = r.person_id
  where r.id = any(:ids::bigint[])
), bearers as (
  select k.account_id, k.person_id, k.person_id as own_person_id from asked k
  union all select k.account_id, k.person_id, p.id from asked k join people p on p.merged_into = k.person_id
)
select r.id, r.account_id, r.person_id, b.account_id as whole_account, b.person_id as whole_person,
       r.attributes, r.stamps, r.deleted_at, a.external_id as account, p.external_id as person,
       u.survivor_id, u.attributes as own, u.stamps as own_stamps, u.deleted_at as own_deleted_at,
       exists (select from united s where s.entity = 'relation' and s.survivor_id = r.id) as stands_for_others
from bearers b
join people p on p.id = b.own_person_id
join relations r on r.person_id = p.id
join accounts a on a.id = r.account_id and coalesce(a.merged_into, a.id) = b.account_id
left join united u on u.entity = 'relation' and u.id = r.id
order by r.id;

-- name: relations_named
-- Those between these accounts and people, pair by pair, where one of the two or the relation is one with others.
select r.id
from unnest(:accounts::text[], :people::text[]) as n (account, person)
join accounts a on a.external_id = n.account join people p on p.external_id = n.person
join relations r on r.account_id = a.id and r.person_id = p.id
where exists (select from united u where u.entity = 'account' and u.id = a.id)
   or exists (select from united u where u.entity = 'person' and u.id = p.id)
   or exists (select from united u where u.entity = 'relation' and (u.id = r.id or u.survivor_id = r.id));

-- name: numbers_for_relations
select nextval('record_ids') as id from generate_series(1, :count::int);

-- name: keep_own_relations
insert into united as u (entity, id, survivor_id, attributes, stamps, deleted_at, at)
select 'relation', k.*, :at from unnest(:ids::bigint[], :survivor_ids::bigint[], :attributes::jsonb[], :stamps::jsonb[], :deleted::timestamptz[]) as k
on conflict (entity, id) do update set survivor_id = excluded.survivor_id;

-- name: write_united_relations
insert into relations as r (id, account_id, person_id, attributes, stamps, deleted_at)
select * from unnest(:ids::bigint[], :account_ids::bigint[], :person_ids::bigint[], :attributes::jsonb[], :stamps::jsonb[], :deleted::timestamptz[])
on conflict (id) do update set attributes = excluded.attributes, stamps = excluded.stamps, deleted_at = excluded.deleted_at;
