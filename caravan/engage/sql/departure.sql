-- name: gone_among
-- By the flag here: a later word of this store may have taken it off.
select id, true as is_account from accounts where id = any(:account_ids::bigint[]) and deleted_at is not null
union all
select id, false from people where id = any(:person_ids::bigint[]) and deleted_at is not null
order by is_account, id;

-- name: lock_ways_of
-- In order of id, as close_traversals locks them.
select t.id, a.merged_into is not null as is_merged
from traversals t join accounts a on a.id = t.account_id
where t.account_id = any(:account_ids::bigint[]) and t.ended_at is null
order by t.id for no key update of t;

-- name: withdraw_of_gone
-- What has not left to these people, or about these accounts: also what traversals that are over had left to the
-- delivery queue. All rows are locked, in order of id, before the first gives back what it took of limits.
with about as (
  select l.id, case when a.merged_into is null then 'account-deleted' else 'account-merged' end as reason
  from accounts a join traversals t on t.account_id = a.id join ledger l on l.traversal_id = t.id
  where a.id = any(:account_ids::bigint[]) and l.state in ('claimed', 'held', 'deferred')
), those as (
  select * from about
  union all
  select l.id, case when p.merged_into is null then 'person-deleted' else 'person-merged' end as reason
  from people p join ledger l on l.person_id = p.id
  where p.id = any(:person_ids::bigint[]) and l.state in ('claimed', 'held', 'deferred')
    and l.id not in (select id from about)
), locked as (
  select l.id, those.reason from ledger l join those using (id)
  where l.state in ('claimed', 'held', 'deferred')
  order by l.id for update of l
)
update ledger l set state = 'skipped', reason = locked.reason, settled_at = :at
from locked
where l.id = locked.id and l.state in ('claimed', 'held', 'deferred');

-- name: drop_admissions_of
delete from admissions where account_id = any(:account_ids::bigint[]);

-- name: leave_lists_{table} for accounts, people
-- Whom a document names is awaited again, as before they first came in. One whom another stands for keeps its
-- places, out of everybody's sight: it has them again if the two are taken apart.
with gone as (
  delete from list_members m using {table} t
  where m.of = '{table}' and m.subject_id = any(:subject_ids::bigint[]) and t.id = m.subject_id and t.merged_into is null
  returning m.list, m.subject_id
)
update list_named n set settled = false
from gone join {table} t on t.id = gone.subject_id
where n.of = '{table}' and n.list = gone.list and n.external_id = t.external_id;
