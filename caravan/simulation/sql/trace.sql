-- name: traversals_walked
select t.id, a.external_id as account, t.entry, t.entered_at, t.ended_at, t.reason, t.label,
       t.state ->> 'position' as position, t.state -> 'ended' ->> 'node' as left_from,
       (t.state ->> 'arrived_at')::timestamptz as arrived_at, t.state -> 'visits' as visits,
       (t.state -> 'pending' ->> 'until')::timestamptz as until
from traversals t join accounts a on a.id = t.account_id
where t.journey_id = :journey_id and t.id > :after
order by t.id limit :limit;

-- name: steps_walked
select s.traversal_id, s.node, s.visit, s.arrived_at, s.outcome ->> 'edge' as edge,
       (s.outcome ->> 'at')::timestamptz as at, s.because ->> 'fault' as fault,
       case when s.kind <> 'decide' then null when s.because ? 'confidence' then 'model'
            when s.because ? 'cause' then 'nobody' else 'recorded' end as decided_by,
       q.external_id as person, v.type as event
from steps s
left join people q on q.id = (s.because ->> 'person')::bigint and s.kind = 'listen'
left join activities v on v.id = (s.because ->> 'activity')::bigint and s.kind = 'listen'
where s.traversal_id = any(:ids::bigint[])
order by s.traversal_id, s.step_no;

-- name: participants_walked
select p.traversal_id, p.node, p.visit, p.path, q.external_id as person
from participants p join people q on q.id = p.person_id
where p.traversal_id = any(:ids::bigint[])
order by p.traversal_id, q.external_id collate "C";

-- name: effects_walked
select l.traversal_id, l.node, l.visit, l.position, l.action, coalesce(l.queued, l.state) as state, l.reason, q.external_id as person
from ledger l left join people q on q.id = l.person_id
where l.traversal_id = any(:ids::bigint[])
order by l.traversal_id, l.node, l.visit, l.position, q.external_id collate "C" nulls first;

-- name: messages_sent
-- What left, also by campaigns that were requested on the way. Of an alert the person is nobody, but an address.
select m.message_id, a.external_id as account, m.journey, m.entry, m.node, coalesce(m.person, m.recipient) as person,
       coalesce(m.template, m.action) as what, coalesce(m.settled_at, m.claimed_at) as at
from messages m join accounts a on a.id = m.account_id
where m.state = 'accepted' and (:account::text is null or a.external_id = :account)
order by at, a.external_id collate "C", m.id;
