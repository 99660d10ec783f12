-- name: messages_followed
-- What links name: messages by their numbers, with whom and what they are of. Nobody is recorded for a person
-- whose data is gone. What a transport within this process took, or that was sent before migration 0022, was handed over when it was settled.
select l.id, l.message_id, l.person_id, l.template, l.node, t.slug as journey,
       coalesce(l.handed_over_at, case when l.state in ('accepted', 'in_doubt') then l.settled_at end) as handed_over_at
from ledger l join traversals t on t.id = l.traversal_id
join people p on p.id = l.person_id and p.deleted_at is null
where l.id = any(:numbers::bigint[]) and l.message_id is not null;

-- name: message_shown
-- A message as a web page: the version and the copy it was written by, and the traversal it is of.
select l.person_id, l.template, l.copy, l.node, l.visit, l.position, l.claimed_at, l.settled_at,
       coalesce(l.journey_id, t.journey_id) as journey_id, j.plan_hash, j.version, j.deadline,
       t.id, t.slug, t.account_id, t.entry, t.entered_at, t.epoch,
       a.attributes as account, p.attributes as person, (select munchkin from pair) as munchkin
from ledger l join traversals t on t.id = l.traversal_id
join journeys j on j.id = coalesce(l.journey_id, t.journey_id)
join people p on p.id = l.person_id and p.deleted_at is null
join accounts a on a.id = t.account_id
where l.id = :number and l.message_id is not null;
