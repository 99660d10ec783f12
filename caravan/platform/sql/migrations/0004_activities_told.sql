-- Whether what happens in the engage store is told here, as the workspace's document says.
create table activity_stream (
  singular boolean primary key default true check (singular),
  wanted   boolean not null
);

-- Events that the engage store has told: they do not go down again.
alter table activities add column from_engage boolean not null default false;
