-- name: limits_in_force
select hash, documents, rules from communication_limits;

-- name: store_limit_rules
-- The ids of rules, in the order given; one that was counted before has the id it had.
with given as (
  select * from unnest(:pers::text[], :everys::text[], :channels::text[], :zones::text[])
    with ordinality as g (per, every, channel, zone, at)
), stored as (
  insert into limit_rules as r (per, every, channel, zone)
  select per, every, channel, zone from given
  on conflict (per, every, channel, zone) do update set per = excluded.per
  returning r.*
)
select s.id from given g join stored s using (per, every, channel, zone) order by g.at;

-- name: store_limits
insert into communication_limits as c (hash, documents, rules, stored_at) values (:hash, :documents, :rules, :at)
on conflict (singular) do update
  set hash = excluded.hash, documents = excluded.documents, rules = excluded.rules, stored_at = excluded.stored_at
  where c.hash is distinct from excluded.hash;

-- name: forget_past_counts
-- Of periods that are over; a message that gives back what it took there gives back nothing then.
delete from limit_counts where (rule_id, subject_id, period) in (
  select rule_id, subject_id, period from limit_counts where ends_at < :before limit :limit
  for update skip locked
);

-- name: messages_that_stand
-- What an earlier try has made of these people's messages; whether they are still to be sent by who asks, the node
-- or the delivery queue. Locked: who settles one locks it first and what it counts for then, and so do we.
select position, person_id, message_id, state = 'claimed' and (queued is not null) = :waited as open
from ledger
where traversal_id = :traversal_id and node = :node and visit = :visit
  and position = any(:positions::int[]) and person_id = any(:person_ids::bigint[])
order by position, person_id for no key update;

-- name: slots_of_messages
select message_id, rule_id, subject_id, period from limit_slots where message_id = any(:message_ids::text[]);

-- name: people_in_turn
-- By the ids their team knows: who is first when little is left. With the buying groups of the account
-- they are members of.
select p.id, array(select m.group_id from buying_group_members m join buying_groups g on g.id = m.group_id
                   where m.person_id = p.id and m.removed_at is null and g.account_id = :account_id) as groups
from people p where p.id = any(:person_ids::bigint[]) order by p.external_id collate "C";

-- name: people_of_visit
select person_id from participants where traversal_id = :traversal_id and node = :node and visit = :visit;

-- name: lock_counts
-- Locked one by one in their order, which all who count keep; those nobody has counted yet come into being.
insert into limit_counts as c (rule_id, subject_id, period, ends_at)
select k.rule_id, k.subject_id, k.period, k.ends_at
from unnest(:rule_ids::int[], :subject_ids::bigint[], :periods::bigint[], :ends::timestamptz[])
  as k (rule_id, subject_id, period, ends_at)
order by k.rule_id, k.subject_id, k.period
on conflict (rule_id, subject_id, period) do update set used = c.used
returning rule_id, subject_id, period, used;

-- name: move_slots
-- Gives back and takes, on counts that are locked. What was given back meanwhile by another word of the ledger
-- is not given back again.
with given as (
  delete from limit_slots s
  using unnest(:given_messages::text[], :given_rules::int[], :given_subjects::bigint[], :given_periods::bigint[])
    as g (message_id, rule_id, subject_id, period)
  where (s.message_id, s.rule_id, s.subject_id, s.period) = (g.message_id, g.rule_id, g.subject_id, g.period)
  returning s.rule_id, s.subject_id, s.period
), taken as (
  insert into limit_slots (message_id, rule_id, subject_id, period)
  select * from unnest(:messages::text[], :rules::int[], :subjects::bigint[], :periods::bigint[])
  returning rule_id, subject_id, period
), moved as (
  select rule_id, subject_id, period, sum(slots) as slots
  from (select rule_id, subject_id, period, -1 as slots from given
        union all select rule_id, subject_id, period, 1 from taken) both_ways
  group by rule_id, subject_id, period
)
update limit_counts c set used = greatest(0, c.used + moved.slots)
from moved
where (c.rule_id, c.subject_id, c.period) = (moved.rule_id, moved.subject_id, moved.period);
