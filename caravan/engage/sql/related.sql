-- name: related_within
-- Accounts and people that at most so many relations lie between, and these themselves; also by relations that
-- are no more, which a membership may still be owed to. `apart`: how many it takes.
with recursive around (of, id, apart) as (
  select of, id, 0
  from (select 'accounts' as of, unnest(:account_ids::bigint[]) as id
        union all select 'people', unnest(:person_ids::bigint[])) q
  union
  select next.of, next.id, near.apart + 1
  from around near
  cross join lateral (
    select 'people' as of, r.person_id as id from relations r where near.of = 'accounts' and r.account_id = near.id
    union all
    select 'accounts', r.account_id from relations r where near.of = 'people' and r.person_id = near.id
  ) next
  where near.apart < :most::integer
)
select of, id, min(apart) as apart from around group by of, id order by of, id;
