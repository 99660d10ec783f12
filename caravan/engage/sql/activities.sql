-- name: share_accounts_touched
-- The accounts activities belong to, their own and those of their people, locked in id order and in a
-- statement of its own, before insert and match: see lock_account_to_listen.
select id from accounts
where id = any(:account_ids::bigint[])
   or id in (select account_id from relations where person_id = any(:person_ids::bigint[]) and deleted_at is null)
order by id for key share;

-- name: insert_activities
-- Also whether exits are to be looked at for an account touched: whoever rests there has said so before
-- these accounts were locked.
with inserted as (
  insert into activities (external_id, type, at, account_id, person_id, fields)
  select * from unnest(:external_ids::text[], :types::text[], :ats::timestamptz[], :account_ids::bigint[],
                       :person_ids::bigint[], :fields::jsonb[])
  on conflict (external_id) do nothing
  returning id
)
select (select count(*) from inserted) as new,
       exists (select from exit_watches where account_id = any(:touched_ids::bigint[]) and edge is null) as watched;
