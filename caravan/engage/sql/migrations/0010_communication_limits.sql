-- Communication limits: what is in force, what has been counted, and which messages under way hold what of it.

-- The documents in force, all of them, with the rules that follow; no row: there never were any. The hash is
-- read with every traversal that is locked, so a process knows when to read the rest.
create table communication_limits (
  singular  boolean primary key default true check (singular),
  hash      text,                      -- null: the workspace has none
  documents jsonb not null,            -- caravan.journeys.documents.CommunicationLimitsDocument, by slug
  rules     jsonb not null,            -- caravan.engage.limits.Rule
  stored_at timestamptz not null
);

-- What is counted, ever: how much of it is allowed may change, and a document go and come back, and the count of
-- a period goes on.
create table limit_rules (
  id      integer generated always as identity primary key,
  per     text not null,
  every   text not null,
  channel text not null,               -- '': all of them
  zone    text not null,
  unique (per, every, channel, zone)
);

-- How many messages a subject (person, account or buying group, by the rule) has had, or is about to have, in a
-- period. Who needs several takes them in order of rule, subject and period, behind every other lock.
create table limit_counts (
  rule_id    integer not null references limit_rules,
  subject_id bigint not null,
  period     bigint not null,          -- caravan/journeys/limit_periods.py
  used       integer not null default 0,
  ends_at    timestamptz not null,
  primary key (rule_id, subject_id, period)
) with (fillfactor = 80);
create index limit_counts_ended on limit_counts (ends_at);

-- What a message has taken and may have to give back: from its claim until it is accepted. Written and
-- deleted only by who holds the lock of its ledger row, or of its traversal before there is one.
create table limit_slots (
  message_id text not null,
  rule_id    integer not null,
  subject_id bigint not null,
  period     bigint not null,
  primary key (message_id, rule_id, subject_id, period)
);

-- Whoever says it, wherever: a message that will not be sent, or not now, gives back what it has taken, once; one
-- that was accepted keeps it for good, and so does one in doubt until somebody settles it. By the statement,
-- not by the row, for counts are locked in their order.
create function settle_limit_slots() returns trigger language plpgsql as $$
declare
  kept   text[];
  unsent text[];
begin
  select array_agg(message_id) filter (where state = 'accepted'),
         array_agg(message_id) filter (where state in ('skipped', 'refused', 'held'))
  into kept, unsent
  from settled where message_id is not null;
  if kept is not null then
    delete from limit_slots where message_id = any(kept);
  end if;
  if unsent is not null then
    with given as (
      delete from limit_slots where message_id = any(unsent) returning rule_id, subject_id, period
    ), less as (
      select rule_id, subject_id, period, count(*) as slots from given group by rule_id, subject_id, period
    ), locked as (
      select c.rule_id, c.subject_id, c.period, less.slots
      from limit_counts c join less using (rule_id, subject_id, period)
      order by c.rule_id, c.subject_id, c.period for no key update of c
    )
    update limit_counts c set used = greatest(0, c.used - locked.slots)
    from locked
    where (c.rule_id, c.subject_id, c.period) = (locked.rule_id, locked.subject_id, locked.period);
  end if;
  return null;
end $$;

create trigger ledger_settles_limit_slots after update on ledger
  referencing new table as settled for each statement execute function settle_limit_slots();
