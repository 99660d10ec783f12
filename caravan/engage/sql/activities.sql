-- name: share_accounts_touched
-- The accounts activities belong to, their own and those of their people, locked in id order and in a
-- statement of its own, before insert and match: see lock_account_to_listen.
select id from accounts
where id = any(:account_ids::bigint[])
   or id in (select account_id from relations where person_id = any(:person_ids::bigint[]) and deleted_at is null)
order by id for key share;

-- name: insert_activities
-- Also puts in question where the dynamic lists have those it happened to, if there are such lists.
with recorded as (
  insert into activities (external_id, type, at, account_id, person_id, fields)
  select * from unnest(:external_ids::text[], :types::text[], :ats::timestamptz[], :account_ids::bigint[],
                       :person_ids::bigint[], :fields::jsonb[])
  on conflict (external_id) do nothing
  returning id, account_id, person_id
), questioned as (
  insert into list_questions (of, subject_id)
  select case when person_id is null then 'accounts' else 'people' end, coalesce(person_id, account_id)
  from recorded where exists (select from lists where condition is not null)
)
select id from recorded;
