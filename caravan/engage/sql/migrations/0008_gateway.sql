-- Who may send events in: keys of other systems, of which only the digest is kept.
create table event_keys (
  id         bigint generated always as identity primary key,
  name       text not null check (name <> ''),
  digest     bytea not null unique,
  created_at timestamptz not null,
  revoked_at timestamptz
);
create unique index event_keys_name on event_keys (name) where revoked_at is null;
