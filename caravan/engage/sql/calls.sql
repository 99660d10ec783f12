-- name: claim_calls
-- One row a request, before the service is called. A try that died left its row: the same request is
-- made again, and bears the same token unless the gateway's secret has changed meanwhile. `secret`: there is
-- one; without it the token is a blind one, which must not replace what a service may answer with.
insert into calls (traversal_id, node, visit, person_id, about, service, state, token_hash, claimed_at)
select :traversal_id::bigint, :node, :visit::int, c.person_id, :about, :service, 'claimed', c.token_hash,
       :at::timestamptz
from unnest(:person_ids::bigint[], :token_hashes::bytea[]) as c (person_id, token_hash)
on conflict (traversal_id, node, visit, person_id) do update set token_hash = excluded.token_hash
where calls.state = 'claimed' and :secret::boolean;

-- name: calls_of_visit
-- Locked: whichever of answer and time-out comes first decides, the other reads its word.
select id, person_id, state, answer, reply, claimed_at from calls
where traversal_id = :traversal_id and node = :node and visit = :visit
order by person_id for update;

-- name: begin_try
-- The last word before a request leaves: only while the traversal is open under the epoch the claim saw, its
-- journey is neither paused nor aborted, and nothing is halted.
with alive as (
  select t.id from traversals t join journeys j on j.id = t.journey_id and j.paused_at is null and j.state <> 'aborted'
  where t.id = :traversal_id and t.epoch = :epoch and t.ended_at is null
    and not exists (select from sending_halt) for share of t
)
update calls c set tries = c.tries + 1
from alive where c.traversal_id = alive.id and c.id = :id and c.state = 'claimed'
returning c.id;

-- name: call_submitted
update calls set state = 'submitted', submitted_at = :at, reply = null where id = :id and state = 'claimed';

-- name: call_refused
-- Also one whose answer never can come: what is answered stays answered.
update calls set state = 'failed', reply = :reply where id = any(:ids::bigint[]) and state = 'claimed';

-- name: call_waits
update calls set reply = :reply where id = any(:ids::bigint[]) and state = 'claimed';

-- name: time_out_calls
-- What was asked and not answered timed out; what could not be asked has failed.
update calls set state = case state when 'submitted' then 'timed_out' else 'failed' end
where traversal_id = :traversal_id and node = :node and visit = :visit and state in ('claimed', 'submitted')
returning id, person_id, state, answer, reply;

-- name: people_called
-- The people of a visit as a service is told of them.
select x.person_id, p.external_id, p.attributes, r.id as relation_id, r.attributes as relation
from participants x join people p on p.id = x.person_id
join relations r on r.account_id = :account_id and r.person_id = x.person_id
where x.traversal_id = :traversal_id and x.node = :node and x.visit = :visit
order by x.person_id;

-- name: account_called
select id, external_id, attributes from accounts where id = :account_id;

-- name: journey_called
select slug, name, starts_at, ends_at from journeys where id = :journey_id;

-- name: call_by_token
select c.id, c.traversal_id, c.node, c.visit, c.person_id, c.about, c.state, t.account_id
from calls c join traversals t on t.id = c.traversal_id
where c.token_hash = :token_hash;

-- name: lock_call
-- Whether its traversal has ended is asked here: an answer may take long to come.
select c.state, t.ended_at is not null as over
from calls c join traversals t on t.id = c.traversal_id where c.id = :id for update of c;

-- name: relations_called
select x.person_id, r.id as relation_id
from participants x join relations r on r.account_id = :account_id and r.person_id = x.person_id
where x.traversal_id = :traversal_id and x.node = :node and x.visit = :visit;

-- name: answer_call
update calls set state = 'answered', answer = :answer, answered_at = :at
where id = :id and state in ('claimed', 'submitted');

-- name: note_late
update calls set late_at = coalesce(late_at, :at) where id = :id;

-- name: open_calls_at
-- The calls of an account that wait for an answer at a node, in whatever traversal.
select c.id, c.traversal_id, c.person_id, c.about from calls c join traversals t on t.id = c.traversal_id
where t.account_id = :account_id and c.node = :node and t.ended_at is null
  and c.state in ('claimed', 'submitted')
order by c.id for update of c;

-- name: people_of_call
select x.person_id from calls c
join participants x on x.traversal_id = c.traversal_id and x.node = c.node and x.visit = c.visit
where c.id = :id and c.person_id in (0, x.person_id)
order by x.person_id;

-- name: calls_of_traversal
select c.node, c.visit, q.external_id as person, c.service, c.state, c.tries, c.submitted_at, c.answered_at,
       c.late_at, c.reply
from calls c left join people q on q.id = c.person_id
where c.traversal_id = :traversal_id order by c.id;

-- name: unasked_calls
select count(*) from calls
where traversal_id = :traversal_id and node = :node and visit = :visit and state = 'claimed';
