-- name: alert_group
-- The account's group for a solution interest, with what heads an alert about it.
select g.id, g.engagement, g.completeness, g.stage, g.status, g.qualified_at, a.external_id as account
from buying_groups g join accounts a on a.id = g.account_id
where g.account_id = :account_id and g.solution_interest = :solution_interest;

-- name: alert_moments
-- The newest moments of the account and of these people, and how many there are in all.
select v.id, v.at, v.person_id, v.fields ->> 'type' as type, v.fields ->> 'text' as text, p.attributes as person,
       count(*) over () as total
from activities v left join people p on p.id = v.person_id
where v.at > :since and v.at <= :as_of
  and ((v.account_id = :account_id and v.type = 'account_interesting_moment')
    or (v.person_id = any(:person_ids::bigint[]) and v.type = 'interesting_moment'))
order by v.at desc, v.id desc limit :limit;

-- name: alert_people
-- Of each of these people the last moment, what they did last (not what was done to them, nor what a bot did),
-- and the other groups they are in.
select p.id, moment.at as moment_at, moment.text as moment, coalesce(did.what, '[]') as did,
       coalesce(other.groups, '[]') as groups
from unnest(:person_ids::bigint[]) as p (id)
left join lateral (
  select v.at, v.fields ->> 'text' as text from activities v
  where v.person_id = p.id and v.type = 'interesting_moment' and v.at <= :as_of
  order by v.at desc, v.id desc limit 1
) moment on true
left join lateral (
  select jsonb_agg(jsonb_build_object('id', d.id, 'type', d.type, 'at', stamp(d.at), 'fields', d.fields) order by d.at desc, d.id desc) as what
  from (
    select v.id, v.type, v.at, v.fields from activities v
    where v.person_id = p.id and v.at <= :as_of and v.type <> all(:not_theirs::text[])
      and v.fields -> 'bot' is distinct from 'true'::jsonb
    order by v.at desc, v.id desc limit :latest
  ) d
) did on true
left join lateral (
  select jsonb_agg(jsonb_build_object('interest', g.solution_interest, 'account', a.attributes ->> 'name', 'role', m.role)
                   order by g.solution_interest, a.external_id) as groups
  from buying_group_members m join buying_groups g on g.id = m.group_id join accounts a on a.id = g.account_id
  where m.person_id = p.id and m.removed_at is null and g.id <> :group_id and a.deleted_at is null
) other on true;

-- name: alert_addresses_suppressed
-- Addresses that nothing may be sent to, whoever's they are; that somebody has opted out of marketing is no reason.
select k.owner, bool_or(s.reason = 'hard_bounce') as bounces
from unnest(:owners::bigint[], :subjects::text[]) as k (owner, subject)
join suppressions s on s.subject = k.subject and s.reason <> 'opt_out'
group by k.owner;
