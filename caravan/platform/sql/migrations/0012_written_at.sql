-- When a change was written, by this server's clock: `as_of` is since when somebody says so, which may be years ago.
-- What is there counts from this migration. A default that is one value for a statement leaves the table as it stands.
alter table changes add column written_at timestamptz not null default statement_timestamp();
