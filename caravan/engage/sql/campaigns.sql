-- name: ordinary_campaigns
select id, name, body from campaigns where journey_id is null order by name;

-- name: campaigns_of_journey
select c.id, c.name, c.body, j.slug, j.version, j.state
from campaigns c join journeys j on j.id = c.journey_id
where j.slug = :slug and j.deleted_at is null order by j.version, c.position;

-- name: requestable_campaign
-- A journey's own campaigns can be requested by nobody else.
select id, name, body, travels from campaigns where name = :name and journey_id is null;

-- name: owner_of_campaign
select j.slug from campaigns c join journeys j on j.id = c.journey_id where c.name = :name limit 1;

-- name: store_campaign
insert into campaigns (name, travels, body) values (:name, :travels, :body)
on conflict (journey_id, name) do update set travels = excluded.travels, body = excluded.body;

-- name: latest_travelled
-- Locked, as the latest version of a journey is.
select version, plan_hash from journeys where kind = 'campaign' and slug = :slug
order by version desc limit 1 for update;

-- name: insert_travelled
-- What requests of a campaign travel: it takes them until a later version does, and ends for nobody.
insert into journeys (kind, slug, version, name, state, plan_hash, audience, deadline, published_at)
values ('campaign', :slug, :version, :name, 'live', :plan_hash, '', '9999-12-31T00:00:00Z', :at)
returning id;

-- name: request_campaign
-- Asked for once by its key: a traversal of its own, its people fixed. Nothing comes back where it was
-- asked for before.
with asked as (
  insert into requests (key, campaign, account_id, requested_at) values (:key, :campaign, :account_id, :at)
  on conflict (key) do nothing returning id
), entered as (
  insert into entries as e (slug, account_id, count, last_entered_at)
  select j.slug, :account_id::bigint, 1, :at::timestamptz from journeys j, asked where j.id = :travels
  on conflict (slug, account_id) do update set count = e.count + 1, last_entered_at = excluded.last_entered_at
  returning slug, count
), begun as (
  insert into traversals (journey_id, slug, account_id, entry, entered_at, state, workflow_id, request_id)
  select :travels, e.slug, :account_id::bigint, e.count, :at::timestamptz, :state::jsonb,
         'campaign/' || p.munchkin || '/' || :campaign || '/' || :account_id::bigint || '/' || e.count, asked.id
  from entered e, asked, pair p
  returning id, request_id
), meant as (
  insert into participants (traversal_id, node, visit, person_id)
  select b.id, 'do', 1, person_id from begun b, unnest(:person_ids::bigint[]) as m (person_id)
  on conflict do nothing
)
select id as traversal_id, request_id from begun;

-- name: request_by_key
select r.id as request_id, r.campaign, r.account_id, r.requested_at, t.id as traversal_id, t.reason
from requests r join traversals t on t.request_id = r.id where r.key = :key;

-- name: accounts_of_person
select a.id, a.external_id from relations r join accounts a on a.id = r.account_id
where r.person_id = :person_id and r.deleted_at is null and a.deleted_at is null order by a.id;
