-- name: report_emails
-- One row per e-mail of the messages claimed in a period. What a person did is of the message it names, else of
-- the last one with this e-mail that had gone to them by then: `next_at` is when the one after it left, looked
-- for beyond the period and in all journeys. What a machine opened or clicked is counted apart. Read once from
-- end to end: the ledger for its messages, the activities by the index on (person_id, type, at).
with message as (
  select l.message_id, l.person_id, l.template, l.state, l.claimed_at, t.slug,
         lead(l.claimed_at) over (partition by l.person_id, l.template, l.state = 'accepted'
                                  order by l.claimed_at, l.message_id) as next_at,
         coalesce(l.settled_at, l.claimed_at) as at
  from ledger l join traversals t on t.id = l.traversal_id
  where l.template is not null
), chosen as (
  select * from message
  where (:slugs::text[] is null or slug = any(:slugs::text[]))
    and (:from::timestamptz is null or claimed_at >= :from) and (:to::timestamptz is null or claimed_at < :to)
), told as (
  select c.message_id,
         bool_or(a.type = 'email_opened' and a.by_people) as opened,
         bool_or(a.type = 'email_clicked' and a.by_people) as clicked,
         bool_or(a.type in ('email_opened', 'email_clicked') and not a.by_people) as by_machine,
         bool_or(a.type = 'email_bounced' and not a.soft) as bounced_hard,
         bool_or(a.type = 'email_bounced' and a.soft) as bounced_soft,
         bool_or(a.type = 'email_unsubscribed') as unsubscribed,
         max(a.at) as last_at
  from chosen c
  join lateral (
    select a.type, a.at, a.fields -> 'bot' is distinct from 'true'::jsonb as by_people,
           a.fields -> 'soft' is not distinct from 'true'::jsonb as soft
    from activities a
    where a.person_id = c.person_id
      and a.type in ('email_opened', 'email_clicked', 'email_bounced', 'email_unsubscribed')
      and a.fields ->> 'template' = c.template
      and case when a.fields ? 'message' then a.fields ->> 'message' = c.message_id
               else a.at >= c.claimed_at and (c.next_at is null or a.at < c.next_at) end
  ) a on true
  where c.state = 'accepted'
  group by c.message_id
)
select c.template,
       count(*) filter (where c.state = 'accepted') as sent,
       count(*) filter (where c.state = 'accepted' and t.bounced_hard is not true and t.bounced_soft is not true) as delivered,
       count(*) filter (where t.opened or t.clicked) as opened,
       count(*) filter (where t.clicked) as clicked,
       count(*) filter (where t.bounced_hard or t.bounced_soft) as bounced,
       count(*) filter (where t.bounced_hard) as bounced_hard,
       count(*) filter (where t.unsubscribed) as unsubscribed,
       count(*) filter (where t.by_machine) as by_machine,
       count(*) filter (where c.state = 'in_doubt') as in_doubt,
       count(*) filter (where c.state = 'refused') as refused,
       count(*) filter (where c.state in ('claimed', 'handed_over', 'deferred', 'held')) as waiting,
       count(*) filter (where c.state = 'skipped') as skipped,
       min(c.at) filter (where c.state = 'accepted') as first_at,
       max(greatest(c.at, t.last_at)) filter (where c.state = 'accepted') as last_at
from chosen c left join told t using (message_id)
group by c.template order by c.template;
