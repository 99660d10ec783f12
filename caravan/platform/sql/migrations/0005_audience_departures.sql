-- Who has left an audience, since when they had been in it, and when they left. Journeys do not ask: leaving an
-- audience takes nobody out of one.
create table audience_departures (
  id           bigint generated always as identity primary key,
  audience     text not null references audiences,
  subject_id   bigint not null,
  qualified_at timestamptz not null,
  left_at      timestamptz not null
);
-- the latest of an audience, and those of an account
create index audience_departures_latest on audience_departures (audience, left_at desc);
create index audience_departures_subject on audience_departures (subject_id, left_at desc);

-- Goes up with each edit: a whole evaluation takes many transactions, and begins again where one came between.
alter table audiences add column edition bigint not null default 1;
