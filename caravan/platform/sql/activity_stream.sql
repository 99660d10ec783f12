-- name: want_activities
insert into activity_stream (wanted) values (:wanted) on conflict (singular) do update set wanted = excluded.wanted;

-- name: activities_wanted
select coalesce((select wanted from activity_stream), false);

-- name: activities_to_tell
-- Asked of the engage store: what lies behind the cursor and has committed. The types are those of the index
-- `activities_to_tell`.
select id, xid::text as xid, type, at, account_id, person_id, fields
from activities
where (xid, id) > (:xid::text::xid8, :seq::bigint)
  and xid < pg_snapshot_xmin(pg_current_snapshot())
  and type in ('account_interesting_moment', 'interesting_moment', 'email_sent', 'email_delivered', 'email_opened',
               'email_clicked', 'email_bounced', 'email_unsubscribed', 'sms_clicked', 'sms_bounced')
order by xid, id limit :limit;

-- name: activities_untold
-- The same, also what has to wait until an older transaction has ended.
select count(*) as rows, min(at) as oldest
from activities
where (xid, id) > (:xid::text::xid8, :seq::bigint)
  and type in ('account_interesting_moment', 'interesting_moment', 'email_sent', 'email_delivered', 'email_opened',
               'email_clicked', 'email_bounced', 'email_unsubscribed', 'sms_clicked', 'sms_bounced');

-- name: tell_activities
-- Each once by its id. Of who was erased meanwhile only that it happened, to a number. Audiences look again.
with told as (
  insert into activities (external_id, type, at, account_id, person_id, fields, from_engage)
  select i.external_id, i.type, i.at, a.id, p.id, case when p.erased_at is null then i.fields else '{}' end, true
  from unnest(:external_ids::text[], :types::text[], :ats::timestamptz[], :accounts::bigint[], :people::bigint[], :fields::jsonb[])
    as i (external_id, type, at, account_id, person_id, fields)
  left join accounts a on a.id = i.account_id
  left join people p on p.id = i.person_id
  where a.id is not null or p.id is not null
  on conflict (external_id) do nothing
  returning id
)
insert into changes (entity, id, as_of, origin) select 'activity', id, :at, 'sync' from told;

-- name: tell_activities_from_the_beginning
-- Asked of a restored engage store, whose transactions are counted anew: what is there has committed.
update activities set xid = '0' where xid >= pg_current_xact_id();
