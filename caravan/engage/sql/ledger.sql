-- name: claim_messages
-- One row per person of the node (or of the path), or per address of an alert (as -1, -2 …), before the provider
-- is called. A row that is
-- still `claimed` from an attempt that died is looked at anew: consent may have changed meanwhile.
-- Gives who is to be sent to, with the message's number, and who an attempt that died has claimed and is not among these any more.
with claimed as (
  insert into ledger (traversal_id, node, visit, position, person_id, action, state, reason, path,
                      message_id, template, copy, claimant, until, claimed_at, settled_at, journey_id, queued)
  select :traversal_id::bigint, :node, :visit::int, :position::int, c.person_id, :action,
         case when c.reason is not null then 'skipped' when c.until is not null then 'held' else 'claimed' end, c.reason, c.path,
         case when c.reason is null then c.message_id end, :template, :copy::int, :claimant, c.until, :at::timestamptz,
         case when c.reason is not null then :at::timestamptz end, :journey_id::bigint,
         case when c.reason is null and c.until is not null then 'held' end
  from unnest(:person_ids::bigint[], :reasons::text[], :paths::text[], :message_ids::text[], :held_untils::timestamptz[])
    as c (person_id, reason, path, message_id, until)
  on conflict (traversal_id, node, visit, position, person_id) do update
  set state = excluded.state, reason = excluded.reason, settled_at = excluded.settled_at,
      claimant = excluded.claimant, copy = excluded.copy, journey_id = excluded.journey_id, until = excluded.until,
      queued = excluded.queued, reply = case when excluded.state = 'claimed' then ledger.reply end
  where ledger.state = 'claimed' and ledger.queued is null
  returning id, person_id, state
)
select id, person_id, null::jsonb as attributes from claimed where state = 'claimed'
union all
select l.id, l.person_id, p.attributes
from ledger l join people p on p.id = l.person_id
where l.traversal_id = :traversal_id and l.node = :node and l.visit = :visit and l.position = :position
  and l.state = 'claimed' and l.queued is null and l.person_id <> all(:person_ids::bigint[])
order by person_id;

-- name: note_messages
-- How many messages of its network a text is; the address of one that goes to nobody's record.
update ledger l set segments = m.segments, recipient = m.recipient
from unnest(:message_ids::text[], :segments::int[], :recipients::text[]) as m (message_id, segments, recipient)
where l.message_id = m.message_id;

-- name: take_addresses
-- The people whose address is still to be had, with who has it for now: nobody had it, or whoever had it was left out
-- or has left the journey, or it is this visit's and whoever has it is still to be sent to. In order of address, so
-- that two who take the same ones take turns.
with wanted as (
  select w.address, w.person_id, p.external_id
  from unnest(:addresses::text[], :person_ids::bigint[]) as w (address, person_id) join people p on p.id = w.person_id
), ours as (
  insert into mailed_addresses as m (slug, node, position, address, traversal_id, visit, person_id)
  select distinct on (address) :slug, :node, :position::int, address, :traversal_id::bigint, :visit::int, person_id
  from wanted order by address, external_id collate "C"
  on conflict (slug, node, position, address) do update
  set traversal_id = excluded.traversal_id, visit = excluded.visit,
      person_id = case when m.traversal_id = excluded.traversal_id then m.person_id else excluded.person_id end
  where case when (m.traversal_id, m.visit) = (excluded.traversal_id, excluded.visit) then
          not exists (select from ledger l
                      where (l.traversal_id, l.node, l.visit, l.position, l.person_id)
                            = (m.traversal_id, m.node, m.visit, m.position, m.person_id)
                        and l.state <> 'skipped' and not (l.state = 'claimed' and (l.queued is not null) = :waited))
        else
          exists (select from traversals t where t.id = m.traversal_id and t.ended_at is not null)
          or exists (select from ledger l
                     where (l.traversal_id, l.node, l.visit, l.position, l.person_id)
                           = (m.traversal_id, m.node, m.visit, m.position, m.person_id) and l.state = 'skipped')
        end
  returning m.address, m.person_id
)
select w.person_id, w.address, o.person_id as owner from ours o join wanted w using (address);

-- name: move_addresses
-- Addresses that are locked: to whom each has gone, or that it is anybody's again.
with moved as (
  select * from unnest(:addresses::text[], :person_ids::bigint[]) as v (address, person_id)
), free as (
  delete from mailed_addresses m using moved v
  where (m.slug, m.node, m.position, m.address) = (:slug, :node, :position::int, v.address) and v.person_id is null
)
update mailed_addresses m set person_id = v.person_id
from moved v
where (m.slug, m.node, m.position, m.address) = (:slug, :node, :position::int, v.address) and v.person_id is not null;

-- name: doubt_abandoned
-- Handed over by another try that never said what became of it: not sent again by itself. (Should
-- that try be alive after all, its word settles it.)
update ledger set state = 'in_doubt', settled_at = :at
where traversal_id = :traversal_id and node = :node and visit = :visit
  and position = any(:positions::int[]) and state = 'handed_over' and queued is null
  and claimant is distinct from :claimant;

-- name: doubt_forgotten
-- Handed over and never settled, and nobody will ask again, for the traversal has ended.
update ledger l set state = 'in_doubt', settled_at = :at
from traversals t
where t.id = l.traversal_id and t.ended_at is not null
  and l.state = 'handed_over' and l.queued is null and l.claimed_at < :before;

-- name: hand_over
-- The last word before the content leaves: commits only while the traversal is open under the epoch the
-- claim saw, its journey is neither paused nor aborted and sending is not halted, and only for one of several
-- tries. With the copy it is written with: another try may have claimed it with a later one. A try asks again
-- where its word has grown old (caravan/campaigns/last_word.py).
with alive as (
  select t.id from traversals t join journeys j on j.id = t.journey_id and j.paused_at is null and j.state <> 'aborted'
  where t.id = :traversal_id and t.epoch = :epoch and t.ended_at is null
    and not exists (select from sending_halt) for share of t
)
update ledger l set state = 'handed_over', claimant = :claimant, copy = :copy, handed_over_at = :at
from alive
where l.traversal_id = alive.id and l.node = :node and l.visit = :visit and l.position = :position
  and l.person_id = :person_id and l.queued is null
  and (l.state = 'claimed' or (l.state = 'handed_over' and l.claimant = :claimant and l.reason is null))
returning l.message_id;

-- name: not_handed_over
-- The word was given and grew old, and was not given again: the content has not begun to leave. Of who was erased
-- meanwhile it is claimed again, and what is known of them now is nothing.
update ledger l
set state = case when t.ended_at is null then 'claimed' else 'skipped' end,
    reason = case when t.ended_at is not null then 'journey-not-live' end,
    settled_at = case when t.ended_at is not null then :at::timestamptz end
from traversals t
where t.id = l.traversal_id and l.traversal_id = :traversal_id and l.node = :node and l.visit = :visit
  and l.position = :position and l.person_id = :person_id and l.state = 'handed_over' and l.claimant = :claimant;

-- name: may_still_leave
-- Whether anything of a traversal may: asked where one message was refused its last word.
select exists (select from traversals t join journeys j on j.id = t.journey_id
               where t.id = :traversal_id and t.epoch = :epoch and t.ended_at is null and j.paused_at is null
                 and j.state <> 'aborted' and not exists (select from sending_halt));

-- name: in_hand_of
-- Whether a message to a person, or one that tells of their account to nobody's record, has the last word and is not settled.
select exists (select from ledger l join traversals t on t.id = l.traversal_id
               where l.state = 'handed_over'
                 and (l.person_id = any(:person_ids::bigint[]) or (l.recipient is not null
                      and t.account_id in (select account_id from relations where person_id = any(:person_ids::bigint[])))));

-- name: in_hand
-- Whether a message has the last word and is not settled. Of a few rows: ledger_unsettled.
select exists (select from ledger l join traversals t on t.id = l.traversal_id
               where l.state = 'handed_over' and (:slug::text is null or t.slug = :slug));

-- name: accept_together
-- All messages of a step that a transport within this process takes: it cannot fail between the words. Gives the
-- step's messages as `settled_messages` does, and which of them it took.
with accepted as (
  update ledger set state = 'accepted', reply = :reply, settled_at = :at
  where traversal_id = :traversal_id and node = :node and visit = :visit and position = any(:positions::int[])
    and state = 'claimed' and queued is null
  returning person_id, action, message_id, template
)
select person_id, action, message_id, 'accepted' as state, template, :at::timestamptz as at, true as taken from accepted
union all
select person_id, action, message_id, coalesce(queued, state), template, coalesce(settled_at, claimed_at), false
from ledger
where traversal_id = :traversal_id and node = :node and visit = :visit and position = any(:positions::int[])
  and not (state = 'claimed' and queued is null);

-- name: take_back
-- The relay is away: what this try has in hand did not leave. Why is kept for who asks.
update ledger set state = 'claimed', reason = null, reply = :reply
where traversal_id = :traversal_id and node = :node and visit = :visit and claimant = :claimant
  and state in ('claimed', 'handed_over') and queued is null;

-- name: skip_message
-- A message that cannot be made of this person's data.
update ledger set state = 'skipped', reason = :reason, reply = :reply, settled_at = :at
where message_id = :message_id and state = 'claimed';

-- name: skip_unsent
-- What has not left by now is not to leave any more.
update ledger set state = 'skipped', reason = :reason, settled_at = :at
where traversal_id = :traversal_id and node = :node and visit = :visit and state = 'claimed' and queued is null;

-- name: settle_message
-- Gives the message, unless somebody else's word has settled it. One that is put off waits twice as long as the
-- last time; where that would be too late it is refused.
update ledger
set state = case when :put_off and :at::timestamptz + :first_wait::interval * 2 ^ tries > claimed_at + :give_up_after::interval
                 then 'refused' else :state end,
    reason = case when :put_off and :at::timestamptz + :first_wait::interval * 2 ^ tries > claimed_at + :give_up_after::interval
                  then 'expired' end,
    until = case when :put_off and :at::timestamptz + :first_wait::interval * 2 ^ tries <= claimed_at + :give_up_after::interval
                 then :at::timestamptz + :first_wait::interval * 2 ^ tries end,
    queued = case when :put_off then coalesce(queued, 'deferred') else queued end,
    tries = tries + (:put_off)::int, reply = :reply, settled_at = :at::timestamptz
where message_id = :message_id and state in ('claimed', 'handed_over', 'in_doubt')
returning id as number, message_id, traversal_id, node, visit, position, person_id, action, template, state;

-- name: settled_messages
-- One that was left to the delivery queue is told as what it was left, whatever has become of it since.
select person_id, action, message_id, coalesce(queued, state) as state, template, coalesce(settled_at, claimed_at) as at
from ledger
where traversal_id = :traversal_id and node = :node and visit = :visit
  and position = any(:positions::int[]);

-- name: note_effects
-- Of writes to the stores: done or skipped, in the same transaction as the write itself.
insert into ledger (traversal_id, node, visit, position, person_id, action, state, reason, path, claimed_at, settled_at)
select :traversal_id::bigint, :node, :visit::int, :position::int, c.person_id, :action,
       case when c.reason is null then 'done' else 'skipped' end, c.reason, c.path, :at::timestamptz, :at::timestamptz
from unnest(:person_ids::bigint[], :reasons::text[], :paths::text[]) as c (person_id, reason, path)
on conflict do nothing;

-- name: effects_of_traversal
select l.node, l.visit, l.position, l.person_id, q.external_id, l.action, l.state, l.reason, l.path, l.template,
       l.copy, l.message_id, l.reply, l.claimed_at, l.settled_at
from ledger l left join people q on q.id = l.person_id
where l.traversal_id = :traversal_id order by l.claimed_at, l.node, l.visit, l.position, l.person_id;

-- name: effects_of_person
select l.action, l.state, l.reason, l.template, l.message_id, l.claimed_at, l.settled_at, l.node, l.path, l.reply,
       t.slug as journey, j.version, a.external_id as account, a.attributes ->> 'name' as account_name
from ledger l join traversals t on t.id = l.traversal_id join journeys j on j.id = t.journey_id
join accounts a on a.id = t.account_id
where l.person_id = :person_id order by l.claimed_at, l.node, l.position;

-- name: message_counts
select state, count(*) as messages from messages
where :slug::text is null or journey = :slug
group by state order by state;

-- name: messages
select m.message_id, m.action, m.state, m.reason, m.reply, m.template, m.segments, m.claimed_at, m.settled_at,
       m.address, m.person, m.journey, j.version, m.node, a.external_id as account, a.attributes ->> 'name' as account_name
from messages m join traversals t on t.id = m.traversal_id join journeys j on j.id = t.journey_id
join accounts a on a.id = m.account_id
where (:state::text is null or m.state = :state) and (:slug::text is null or m.journey = :slug)
order by m.claimed_at desc, m.traversal_id desc limit :limit;
