-- name: accounts_to_bring
-- Accounts without a name stay in the Platform, unless the engage store has them: then it learns that the
-- name is gone.
select id, external_id, attributes, stamps, deleted_at, merged_into from named_accounts where id = any(:account_ids::bigint[])
union
select id, external_id, attributes, stamps, deleted_at, merged_into from accounts
where id = any(:account_ids::bigint[]) and id = any(:held::bigint[])
order by id;

-- name: people_to_bring
-- People without an address stay in the Platform, unless the engage store has them: then it learns
-- that the address is gone.
select distinct p.id, p.external_id, p.attributes, p.stamps, p.deleted_at, p.merged_into, p.persona
from people p join relations r on r.person_id = p.id
where r.account_id = any(:account_ids::bigint[]) and p.stamps ? 'email' order by p.id;

-- name: relations_to_bring
select r.id, r.account_id, r.person_id, r.attributes, r.stamps, r.deleted_at
from relations r join people p on p.id = r.person_id
where r.account_id = any(:account_ids::bigint[]) and p.stamps ? 'email' order by r.id;

-- name: opportunities_to_bring
select id, external_id, account_id, attributes, stamps, deleted_at from opportunities
where account_id = any(:account_ids::bigint[]) order by id;

-- name: activities_to_bring
-- The whole history of accounts and people who come in; of accounts that are there, what is new.
-- What the engage store has told itself stays here.
select external_id, type, at, account_id, person_id, fields from activities
where not from_engage and id in (
  select id from activities where account_id = any(:new_accounts::bigint[])
  union select id from activities where person_id = any(:new_people::bigint[])
  union select v.id from activities v
        where v.id = any(:news::bigint[])
          and (v.account_id = any(:held::bigint[])
               or exists (select from relations r where r.person_id = v.person_id
                          and r.account_id = any(:held::bigint[]) and r.deleted_at is null))
)
order by at, id;

-- name: find_recipients
-- A person by id or address, once for each of their accounts.
select p.id as person_id, p.external_id as person, p.attributes as person_fields,
       a.id as account_id, a.external_id as account, a.attributes as account_fields
from people p
join relations r on r.person_id = p.id and r.deleted_at is null
join accounts a on a.id = r.account_id and a.deleted_at is null
where p.deleted_at is null
  and (p.external_id = :key or casefold(p.attributes ->> 'email') = casefold(:key))
order by p.external_id <> :key, p.id, a.external_id collate "C";
