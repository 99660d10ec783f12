-- The version (of a journey) a message was written by: its traversal may have moved to another since, and whoever looks
-- at the message as a web page is to see what was sent. Null for messages of before: the traversal's.
alter table ledger add column if not exists journey_id bigint;  -- 0007 has it too

-- Who may send events in: keys of other systems, of which only the digest is kept.
create table event_keys (
  id         bigint generated always as identity primary key,
  name       text not null check (name <> ''),
  digest     bytea not null unique,
  created_at timestamptz not null,
  revoked_at timestamptz
);
create unique index event_keys_name on event_keys (name) where revoked_at is null;
