-- name: keep_own_words_of_{table} for accounts, people
-- As they stand alone, before they are one. Who keeps a word already comes with that to its survivor; `at` is when.
with cluster as (
  select * from unnest(:ids::bigint[], :survivor_ids::bigint[]) as c (id, survivor_id)
)
insert into united as u (entity, id, survivor_id, attributes, stamps, deleted_at, at)
select :entity, t.id, c.survivor_id, t.attributes, t.stamps, t.deleted_at, :at from cluster c join {table} t on t.id = c.id
on conflict (entity, id) do update set survivor_id = excluded.survivor_id, at = excluded.at;

-- name: put_away_{table} for accounts, people
-- Those that another stands for: gone for everybody who looks, with all they had.
update {table} t set merged_into = u.survivor_id, deleted_at = coalesce(t.deleted_at, :at)
from united u
where u.entity = :entity and u.survivor_id = any(:survivor_ids::bigint[]) and t.id = u.id and u.id <> u.survivor_id
  and t.merged_into is distinct from u.survivor_id
returning t.id;

-- name: words_of_{table} for accounts, people
-- What is folded into a unified record: the words of its records, and as they stand together.
select u.survivor_id, u.id, t.external_id as name, stamp(u.at) as since, u.stamps,
       u.attributes || case when u.deleted_at is null then '{}' else jsonb_build_object('$deleted', stamp(u.deleted_at)) end as attributes
from united u join {table} t on t.id = u.id
where u.entity = :entity and u.survivor_id = any(:survivor_ids::bigint[]);

-- name: words_said_together
select survivor_id, attributes, stamps from said_together
where entity = :entity and survivor_id = any(:survivor_ids::bigint[]);

-- name: drop_words_said_together
delete from said_together where entity = :entity and survivor_id = any(:survivor_ids::bigint[]);

-- name: keep_words_said_together
insert into said_together (entity, survivor_id, attributes, stamps)
select :entity, * from unnest(:survivor_ids::bigint[], :attributes::jsonb[], :stamps::jsonb[])
on conflict (entity, survivor_id) do update set attributes = excluded.attributes, stamps = excluded.stamps;

-- name: {table}_as_they_are for accounts, people
-- With the flag of deletion among the fields, as words have it.
select id, stamps,
       attributes || case when deleted_at is null then '{}' else jsonb_build_object('$deleted', stamp(deleted_at)) end as attributes
from {table} where id = any(:ids::bigint[]) order by id;

-- name: write_unified_{table} for accounts, people
update {table} t
set attributes = w.attributes - '$deleted', stamps = w.stamps, deleted_at = (w.attributes ->> '$deleted')::timestamptz
from unnest(:ids::bigint[], :attributes::jsonb[], :stamps::jsonb[]) as w (id, attributes, stamps)
where t.id = w.id;

-- name: tell_identity
-- The engage store is to have them as they are now, whoever wrote what.
insert into changes (entity, id, fields, as_of, origin)
select :entity, id, fields, :at, 'identity' from unnest(:ids::bigint[], :fields::jsonb[]) as t (id, fields);

-- name: say_of_own
-- A record's own word takes what a writer other than a file says of it; a later as_of wins, an equal one too.
with said as (
  select u.id, winning_fields(w.fields, u.stamps, stamp(w.as_of), true) as fields, stamp(w.as_of) as stamp
  from unnest(:ids::bigint[], :fields::jsonb[], :as_ofs::timestamptz[]) as w (id, fields, as_of)
  join united u on u.entity = :entity and u.id = w.id
)
update united u set attributes = jsonb_strip_nulls(u.attributes || s.fields), stamps = u.stamps || stamps_of(s.fields, s.stamp)
from said s where u.entity = :entity and u.id = s.id;

-- name: flag_own_words
-- As deleted or as there again, each record by itself, with a word that wins a tie.
with said as (
  select * from unnest(:ids::bigint[], :ats::timestamptz[]) as s (id, at)
)
update united u
set deleted_at = case when :deleted then s.at end, stamps = u.stamps || jsonb_build_object('$deleted', stamp(s.at))
from said s
where u.entity = :entity and u.id = s.id and (u.deleted_at is null) = :deleted
  and coalesce(u.stamps ->> '$deleted' <= stamp(s.at), true)
returning u.id, u.survivor_id;

-- name: stand_for
update united set survivor_id = :survivor_id where entity = :entity and id = any(:ids::bigint[]);

-- name: bring_back_{table} for accounts, people
-- Whoever stands for itself or others, as there: what its words say of deletion is folded behind this.
update {table} set merged_into = null, deleted_at = null where id = any(:ids::bigint[]) and merged_into is not null
returning id;

-- name: keep_own_word
update united set attributes = :attributes::jsonb, stamps = :stamps::jsonb where entity = :entity and id = :id;

-- name: keep_apart
insert into kept_apart (entity, id, other_id, at)
select :entity, least(:id::bigint, o.id), greatest(:id::bigint, o.id), :at from unnest(:other_ids::bigint[]) as o (id)
on conflict do nothing;

-- name: relations_of_accounts
select id from relations where account_id = any(:ids::bigint[]);

-- name: relations_of_people
select id from relations where person_id = any(:ids::bigint[]);

-- name: repoint_opportunities
-- To the account that stands for the one their source names; back again where none does.
update opportunities o
set account_id = w.whole_id, own_account_id = nullif(w.own_id, w.whole_id)
from (select o.id, coalesce(o.own_account_id, o.account_id) as own_id, coalesce(a.merged_into, a.id) as whole_id
      from opportunities o join accounts a on a.id = coalesce(o.own_account_id, o.account_id)
      where o.account_id = any(:account_ids::bigint[]) or o.own_account_id = any(:account_ids::bigint[])) w
where o.id = w.id and o.account_id <> w.whole_id
returning o.id;

-- name: repoint_activities_of_accounts
update activities v
set account_id = coalesce(a.merged_into, a.id),
    own_account_id = case when a.merged_into is not null then a.id end
from accounts a
where a.id = any(:ids::bigint[]) and (v.account_id = a.id and v.own_account_id is null or v.own_account_id = a.id)
  and v.account_id <> coalesce(a.merged_into, a.id);

-- name: repoint_activities_of_people
update activities v
set person_id = coalesce(p.merged_into, p.id),
    own_person_id = case when p.merged_into is not null then p.id end
from people p
where p.id = any(:ids::bigint[]) and (v.person_id = p.id and v.own_person_id is null or v.own_person_id = p.id)
  and v.person_id <> coalesce(p.merged_into, p.id);
