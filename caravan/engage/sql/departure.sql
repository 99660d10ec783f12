-- name: gone_among
-- By the flag here: a later word of this store may have taken it off.
select id, true as is_account from accounts where id = any(:account_ids::bigint[]) and deleted_at is not null
union all
select id, false from people where id = any(:person_ids::bigint[]) and deleted_at is not null
order by is_account, id;

-- name: lock_ways_of
-- In order of id, as close_traversals locks them.
select id from traversals where account_id = any(:account_ids::bigint[]) and ended_at is null
order by id for no key update;

-- name: withdraw_messages_about
-- Also what traversals that are over had left to the delivery queue.
update ledger l set state = 'skipped', reason = 'account-deleted', settled_at = :at
from traversals t
where t.account_id = any(:account_ids::bigint[]) and l.traversal_id = t.id
  and l.state in ('claimed', 'held', 'deferred');

-- name: withdraw_messages_to
update ledger set state = 'skipped', reason = 'person-deleted', settled_at = :at
where person_id = any(:person_ids::bigint[]) and state in ('claimed', 'held', 'deferred');

-- name: drop_admissions_of
delete from admissions where account_id = any(:account_ids::bigint[]);

-- name: leave_lists_{table} for accounts, people
-- Whom a document names is awaited again, as before they first came in.
with gone as (
  delete from list_members where of = '{table}' and subject_id = any(:subject_ids::bigint[]) returning list, subject_id
)
update list_named n set settled = false
from gone join {table} t on t.id = gone.subject_id
where n.of = '{table}' and n.list = gone.list and n.external_id = t.external_id;
