-- name: mail_withheld
-- One whom another stands for is flagged as deleted too: what that one has said is asked of them.
-- Of these people those who are not to be mailed, and all that speaks against it, as it stands at this statement:
-- also what was said since their data were read. A key each for their addresses and the domains those are in: one
-- look by primary key for each, whatever the size of the list.
with suppressed as (
  select k.person_id, array_agg(s.reason) as reasons
  from unnest(:owners::bigint[], :subjects::text[]) as k (person_id, subject)
  join suppressions s on s.subject = k.subject
  group by k.person_id
)
select p.id, p.deleted_at is not null and p.merged_into is null and p.erased_at is null as deleted, p.merged_into is not null and p.erased_at is null as merged, not p.attributes ? 'email' as without, p.attributes -> 'email_invalid' = 'true' as invalid,
       p.attributes -> 'suspended' = 'true' as suspended, p.attributes -> 'unsubscribed' = 'true' as unsubscribed,
       p.attributes -> 'email_consent' = 'false' as refused, coalesce(s.reasons, '{}') as suppressed
from people p left join suppressed s on s.person_id = p.id
where p.id = any(:person_ids::bigint[])
  and (p.deleted_at is not null or s.reasons is not null or not p.attributes ? 'email' or p.attributes -> 'email_invalid' = 'true'
       or p.attributes -> 'suspended' = 'true' or p.attributes -> 'unsubscribed' = 'true'
       or p.attributes -> 'email_consent' = 'false');

-- name: texts_withheld
-- The same of text messages, which go only to those who have said yes.
with suppressed as (
  select k.person_id, array_agg(s.reason) as reasons
  from unnest(:owners::bigint[], :subjects::text[]) as k (person_id, subject)
  join suppressions s on s.subject = k.subject
  group by k.person_id
)
select p.id, p.deleted_at is not null and p.merged_into is null and p.erased_at is null as deleted, p.merged_into is not null and p.erased_at is null as merged, not p.attributes ? 'mobile_phone' as without, false as invalid,
       p.attributes -> 'suspended' = 'true' as suspended, false as unsubscribed,
       p.attributes -> 'sms_consent' is distinct from 'true' as refused, coalesce(s.reasons, '{}') as suppressed
from people p left join suppressed s on s.person_id = p.id
where p.id = any(:person_ids::bigint[])
  and (p.deleted_at is not null or s.reasons is not null or not p.attributes ? 'mobile_phone' or p.attributes -> 'suspended' = 'true'
       or p.attributes -> 'sms_consent' is distinct from 'true');
