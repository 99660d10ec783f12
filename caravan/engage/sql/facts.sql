-- What facts are told of (caravan/lookups/): bounded, newest first.

-- name: people_ever_of_account
-- Also who has left: steps and messages speak of them.
select p.id, p.external_id, p.attributes from people p
where p.id in (select person_id from relations where account_id = :account_id)
order by p.id limit :limit;

-- name: recent_activities_of_account
-- What the account and its people did, and what was done to them; not what bots did.
select v.id, v.type, v.at, v.person_id, p.external_id as person, v.fields
from activities v left join people p on p.id = v.person_id
where (v.account_id = :account_id
    or v.person_id in (select person_id from relations where account_id = :account_id and deleted_at is null))
  and v.at > :since and v.at <= :as_of and v.fields -> 'bot' is distinct from 'true'::jsonb
order by v.at desc, v.id desc limit :limit;

-- name: messages_of_account
select m.id, m.message_id, m.action, m.state, m.reason, m.reply, m.template, m.claimed_at, m.settled_at, m.person,
       m.journey, j.version, m.node, m.path
from messages m join traversals t on t.id = m.traversal_id join journeys j on j.id = t.journey_id
where m.account_id = :account_id
order by m.claimed_at desc, m.id desc limit :limit;

-- name: accounts_that_are_called
-- By id, or by a part of the name.
select id, external_id, attributes, deleted_at from accounts
where deleted_at is null
  and (external_id = :words or position(casefold(:words) in casefold(attributes ->> 'name')) > 0)
order by external_id <> :words, casefold(attributes ->> 'name') <> casefold(:words), id limit :limit;

-- name: people_that_are_called
-- By id, address, or a part of the name; with one of their accounts.
select p.id, p.external_id, p.attributes, a.id as account_id, a.external_id as account, a.attributes as account_fields
from people p
left join lateral (
  select c.* from relations r join accounts c on c.id = r.account_id and c.deleted_at is null
  where r.person_id = p.id and r.deleted_at is null order by c.id limit 1
) a on true
where p.deleted_at is null
  and (p.external_id = :words or casefold(p.attributes ->> 'email') = casefold(:words)
    or position(casefold(:words) in casefold(concat_ws(' ', p.attributes ->> 'first_name', p.attributes ->> 'last_name'))) > 0)
order by p.external_id <> :words, p.id limit :limit;

-- name: account_by_number
select id, external_id, attributes, deleted_at from accounts where id = :id;
