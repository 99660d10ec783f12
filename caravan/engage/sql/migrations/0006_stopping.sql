-- Stopping: all sending of the subscription at once, and a journey whose messages fail.

-- One row while nothing may leave: no mail, no call, no text message. Read by whatever says the last word
-- before something leaves, and by whoever is about to begin it.
create table sending_halt (
  singular  boolean primary key default true check (singular),
  halted_at timestamptz not null,
  halted_by text not null,
  reason    text
);

-- paused_by: 'operator', or 'failures', which is Caravan itself, and why in words. watched_from: what failed
-- before counts no more, since somebody has let the journey go on.
alter table journeys
  add column paused_by    text check (paused_by in ('operator', 'failures')),
  add column paused_why   text,
  add column watched_from timestamptz;

-- What a held traversal waits for: its journey to be resumed, or sending.
alter table traversals add column held_for text check (held_for in ('paused', 'halted'));

-- What became of messages lately: failures are few and looked at every few seconds; what was accepted only
-- where enough has failed.
create index ledger_failed on ledger (settled_at) where state in ('refused', 'in_doubt');
create index ledger_accepted on ledger (settled_at) where state = 'accepted';
