-- name: take_waiting
-- Some messages of one journey whose time has come, for one try; those of a try that died have theirs when
-- its lease is over. A journey by lot, so that one with many does not keep others waiting; none that is
-- paused in any of its versions, whose messages stay as they are, and nothing while sending is halted. By the
-- index ledger_queued.
with chosen as (
  select j.id from journeys j
  where not journey_paused(j.slug) and not exists (select from sending_halt)
    and exists (select from ledger l where l.journey_id = j.id and l.queued is not null
                  and l.state in ('held', 'deferred', 'claimed') and l.until <= :at)
  order by random() limit 1
), due as (
  select w.id from chosen, lateral (
    select l.id from ledger l
    where l.journey_id = chosen.id and l.queued is not null
      and l.state in ('held', 'deferred', 'claimed') and l.until <= :at
    order by l.until limit :limit for no key update skip locked
  ) w
)
update ledger l set state = 'claimed', claimant = :claimant, until = :lease
from due where l.id = due.id
returning l.id as number, l.journey_id, l.traversal_id, l.node, l.visit, l.position, l.person_id, l.path,
          l.action, l.message_id, l.template, l.copy, l.claimed_at, l.tries;

-- name: share_traversal
-- What a waiting message is judged by: whoever closes the traversal, or stands at its node again, takes turns
-- with us. The version is the one that wrote the message, the deadline that of the one the account is in.
select t.id, t.slug, t.account_id, t.entry, t.entered_at, t.epoch, t.ended_at, t.reason,
       j.id as journey_id, j.version, j.plan_hash, j.state as journey_state, journey_paused(j.slug) as paused,
       c.deadline, a.attributes as account, case when a.merged_into is not null then 'account-merged' when a.deleted_at is not null then 'account-deleted' end as gone, (select munchkin from pair) as munchkin,
       (select hash from communication_limits) as limits_hash
from traversals t join journeys c on c.id = t.journey_id join accounts a on a.id = t.account_id
join journeys j on j.id = :journey_id
where t.id = :traversal_id
for share of t;

-- name: still_ours
-- With what is known of each person today, nothing of who was deleted; of an alert with its address.
select l.id as number, case when l.recipient is null then p.attributes else jsonb_build_object('email', l.recipient) end as attributes
from ledger l left join people p on p.id = l.person_id and p.deleted_at is null
where l.id = any(:numbers::bigint[]) and l.state = 'claimed' and l.claimant = :claimant
order by l.person_id
for no key update of l;

-- name: decide_waiting
-- What the checks say: it goes, it waits on, or it is not sent. What the relay had put off is refused then.
update ledger l
set state = case when d.reason is null and d.until is null then 'claimed'
                 when d.reason is null then 'held'
                 when l.tries > 0 and d.reason = 'expired' then 'refused' else 'skipped' end,
    reason = d.reason, reply = coalesce(d.reply, l.reply), until = case when d.reason is null then coalesce(d.until, l.until) end,
    settled_at = case when d.reason is not null then :at::timestamptz end
from unnest(:numbers::bigint[], :reasons::text[], :untils::timestamptz[], :replies::text[]) as d (number, reason, until, reply)
where l.id = d.number and l.state = 'claimed' and l.claimant = :claimant;

-- name: hand_over_waiting
-- The last word before the content leaves, as `hand_over`: but the traversal may have moved on or come to its
-- end, only not by force. Sharing both rows makes a pause or an abort wait for us, or us see it; a halt waits
-- for whoever looked before it. What was judged longer ago than its lease holds is to be judged anew.
with alive as (
  select t.id from traversals t join journeys j on j.id = :journey_id
  where t.id = :traversal_id and (t.ended_at is null or t.reason <> all(:ends::text[]))
    and j.paused_at is null and not journey_paused(j.slug) and j.state <> 'aborted'
    and not exists (select from sending_halt)
  for share of t, j
)
update ledger l set state = 'handed_over', until = :lease, handed_over_at = :at
from alive where l.id = :number and l.claimant = :claimant
  and ((l.state = 'handed_over' and l.reason is null) or (l.state = 'claimed' and l.until > :at))
returning l.message_id;

-- name: put_back
-- What this try has in hand has not left: it waits on.
update ledger set state = case when tries > 0 then 'deferred' else queued end, reason = null, claimant = null,
       until = :until, reply = coalesce(:reply, reply)
where id = any(:numbers::bigint[]) and claimant = :claimant and state in ('claimed', 'handed_over') and queued is not null;

-- name: free_waiting
-- What earlier tries of one activity had claimed is to be claimed again.
update ledger set until = :at
where queued is not null and state = 'claimed' and starts_with(claimant, :series) and until > :at;

-- name: doubt_waiting
-- Handed over by an earlier try of one activity, or by one whose lease is over, and never settled: in doubt.
-- (Should that try be alive after all, its word settles it.)
update ledger set state = 'in_doubt', until = null, settled_at = :at
where queued is not null and state = 'handed_over'
  and (until <= :at or starts_with(claimant, :series));

-- name: waiting_counts
-- What waits, and how many of it could go now.
select count(*) filter (where state = 'held') as held, count(*) filter (where state = 'deferred') as deferred,
       count(*) filter (where until <= :at) as due
from ledger where queued is not null and state in ('held', 'deferred');

-- name: next_waiting
-- When the next message is due.
select min(until) from ledger
where queued is not null and state in ('held', 'deferred', 'claimed', 'handed_over');

-- name: copy_numbered
-- The copy that a message was claimed with.
select body from live_copies where journey_id = :journey_id and copy = :copy;

-- name: deliveries
-- Messages in these states, the longest untouched first, with what a person said of them last.
select m.message_id, m.action, m.state, m.reason, m.reply, m.tries, case when m.state in ('held', 'deferred') then m.until end as until,
       m.template, m.person, m.address, m.journey, j.version, m.node,
       a.external_id as account, a.attributes ->> 'name' as account_name, m.claimed_at, m.settled_at,
       r.said, r.who, r.resolved_at
from messages m join traversals t on t.id = m.traversal_id join accounts a on a.id = m.account_id
join journeys j on j.id = coalesce(m.journey_id, t.journey_id)
left join lateral (select said, who, resolved_at from delivery_resolutions where message = m.id order by id desc limit 1) r on true
where m.message_id is not null and m.state = any(:states::text[]) and (:slug::text is null or m.journey = :slug)
order by coalesce(m.settled_at, m.claimed_at), m.id limit :limit;

-- name: find_message
-- By its Message-ID; of whom it is and where it came from.
select m.id as number, m.action, m.carrier, m.state, m.traversal_id, m.node, m.visit, m.position, m.person_id, m.path, m.message_id,
       m.template, m.copy, m.segments, m.reason, m.reply, m.queued, m.tries, case when m.state in ('held', 'deferred') then m.until end as until,
       m.claimed_at, m.settled_at, m.person, m.address, m.journey,
       m.entry, m.account_id, j.id as journey_id, j.version, j.plan_hash, a.external_id as account,
       a.attributes ->> 'name' as account_name
from messages m join traversals t on t.id = m.traversal_id join accounts a on a.id = m.account_id
join journeys j on j.id = coalesce(m.journey_id, t.journey_id)
where m.message_id = :message_id;

-- name: resolve_message
-- What a person knows of a message in doubt. One that is to be sent again is claimed anew, now, by the queue's rules.
update ledger
set state = :state, reason = :reason, settled_at = case when :state = 'accepted' then settled_at else :at::timestamptz end,
    until = case when :state = 'deferred' then :at::timestamptz end,
    claimed_at = case when :state = 'deferred' then :at::timestamptz else claimed_at end,
    tries = case when :state = 'deferred' then 0 else tries end,
    queued = case when :state = 'deferred' then coalesce(queued, 'deferred') else queued end
where message_id = :message_id and state = 'in_doubt'
returning id as number, message_id, traversal_id, node, visit, position, person_id, action, template, state;

-- name: note_resolution
insert into delivery_resolutions (message, said, who, resolved_at) values (:message, :said, :who, :at);

-- name: resolutions
select said, who, resolved_at from delivery_resolutions where message = :message order by id;

-- name: messages_to_prove
-- Every message that was ever to go, with what makes it a case of its own: its person is gone (of an alert, somebody of
-- its account whom it may have named), or somebody had it sent again. known_as: what the other side knows it by, of a
-- text the number the provider gave it; heard: what the provider has said became of a text.
select l.message_id, k.carrier, l.state,
       case k.carrier when 'text' then substring(l.reply from '^([A-Za-z0-9]{10,64})(?: |$)') else l.message_id end as known_as,
       case when k.carrier = 'text' then
         (select min(split_part(a.external_id, ':', 1)) from activities a
          where a.external_id in ('delivered:' || l.message_id, 'bounced:' || l.message_id)) end as heard,
       case when l.person_id > 0 then q.id is null or q.erased_at is not null
            else exists (select from relations r join people e on e.id = r.person_id
                         where r.account_id = t.account_id and e.erased_at >= l.claimed_at) end as gone,
       exists (select from delivery_resolutions r where r.message = l.id and r.said = 'resend') as resent
from ledger l join message_kinds k using (action) join traversals t on t.id = l.traversal_id left join people q on q.id = l.person_id
where l.message_id is not null and (:slug::text is null or t.slug = :slug);

-- name: sends_to_prove
-- What each step that sent has counted, and what the ledger has of its node's visit now.
with sends as (
  select t.id as traversal_id, t.workflow_id, t.reason, s.step_no, s.node, s.visit, s.outcome -> 'counts' as counts,
         (select sum(n.value::int) from jsonb_each_text(s.outcome -> 'counts') n) as messages
  from steps s join traversals t on t.id = s.traversal_id
  where s.kind = 'send' and (:slug::text is null or t.slug = :slug)
), kept as (
  select l.traversal_id, l.node, l.visit, count(*) as rows
  from ledger l join message_kinds k using (action)
  where l.traversal_id in (select traversal_id from sends)
  group by 1, 2, 3
)
select s.traversal_id, s.workflow_id, s.step_no, s.node, coalesce(s.counts, '{}') as counts, s.reason is not distinct from 'completed' as completed,
       coalesce(sum(s.messages) over (partition by s.traversal_id, s.node, s.visit), 0) as counted, coalesce(k.rows, 0) as kept
from sends s left join kept k using (traversal_id, node, visit)
order by s.traversal_id, s.step_no;
