-- How the streams fare: what each has moved lately and what last went wrong, noted by whoever drains it. It is
-- for operators; nothing is decided by it, and it is written apart from what the stream commits.
create table stream_notes (
  stream     text primary key,
  rows       bigint not null default 0,   -- moved in all
  rate       double precision,            -- rows a second, over the last span in which any moved
  moved_at   timestamptz,
  error      text,                        -- the last one, in our words: no personal data
  error_at   timestamptz,
  errors     bigint not null default 0
);

-- Since when a question or a wake-up waits.
alter table wakeups add column queued_at timestamptz not null default now();
alter table list_questions add column queued_at timestamptz not null default now();
alter table buying_group_questions add column queued_at timestamptz not null default now();

-- Whose steps were removed for their age, so that nobody looks for them again.
alter table traversals add column steps_gone boolean not null default false;
-- By which old events are found; one that costs who records them next to nothing.
create index activities_by_age on activities using brin (at);
