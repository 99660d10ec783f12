-- name: share_accounts_touched
-- The accounts activities belong to, their own and those of their people, locked in id order and in a
-- statement of its own, before insert and match: see lock_account_to_listen. Before any of them the lock
-- that `begin_recount` takes alone: asked once, ahead of the rows, also where there are none.
select id from accounts
where (select pg_advisory_xact_lock_shared(hashtext(current_schema() || '.engagement')) is not null)
  and id in (select unnest(:account_ids::bigint[])
             union select account_id from relations where person_id = any(:person_ids::bigint[]) and deleted_at is null)
order by id for key share;

-- name: record_activities
-- Inserts what is new and gives the open listeners of the accounts touched that care for one of the types:
-- also where all were known already, for one that came in as history has not been heard yet. A row
-- without a listener says how many were new, where nobody listens. `watched`: exits are to be looked at
-- for an account touched; whoever rests there has said so before these accounts were locked. `watched_from_afar`:
-- maybe for others of the same people too, see `share_accounts_beside`. Where there
-- are dynamic lists, the places in them of those it happened to are put in question (of an account by its person,
-- unless that is somebody else's); where a job asks about one of the types, the groups of the accounts. `zone`: what of it counts for engagement, by type, is to be
-- counted on its days; null where nothing does. What bots did (`bot`) engages nobody.
with inserted as (
  insert into activities (external_id, type, at, account_id, person_id, fields)
  select external_id, type, at, account_id, person_id, fields
  from jsonb_populate_recordset(null::activities, :happenings::jsonb)
  on conflict (external_id) do nothing
  returning id, type, at, account_id, person_id, fields
), engaging as (
  select array_agg(i.person_id) as done_by, array_agg(i.type) as done_what, array_agg(i.at) as done_at, s.zone
  from inserted i, (select counted, zone from engagement_scales order by id desc limit 1) s
  where i.person_id is not null and i.type = any(s.counted) and i.fields -> 'bot' is distinct from 'true'::jsonb
  group by s.zone
), questioned as (
  insert into list_questions (of, subject_id)
  select case when person_id is null then 'accounts' else 'people' end, coalesce(person_id, account_id)
  from inserted where exists (select from lists where condition is not null)
  union all
  select 'accounts', i.account_id from inserted i
  where i.person_id is not null and i.account_id is not null and exists (select from lists where condition is not null)
    and not exists (select from relations r where r.account_id = i.account_id and r.person_id = i.person_id)
), questioned_groups as (
  insert into buying_group_questions (account_id)
  select distinct whose.account_id
  from inserted i left join relations r on r.person_id = i.person_id and r.deleted_at is null
  cross join lateral (values (r.account_id), (i.account_id)) whose (account_id)
  where i.type in (select unnest(asks) from buying_group_jobs where deleted_at is null)
    and whose.account_id is not null
  order by 1
)
select n.inserted, n.watched, n.watched_from_afar, engaging.*, hearing.*
from (select count(*) as inserted,
             exists (select from exit_watches where account_id = any(:touched::bigint[]) and edge is null) as watched,
             exists (select from plans p join journeys j on j.plan_hash = p.hash
                     where p.exits_reach > 1 and j.state in ('scheduled', 'live', 'closed')) as watched_from_afar
      from inserted) n
left join engaging on true
left join lateral (
  select l.*, t.entered_at, a.attributes -> 'time_zone' as time_zone
  from listeners l join traversals t on t.id = l.traversal_id join accounts a on a.id = l.account_id
  where l.account_id = any(:touched::bigint[]) and l.closed_at is null and l.types && :types::text[]
  order by l.id for update of l
) hearing on true;
