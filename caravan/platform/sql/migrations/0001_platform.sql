-- The Platform store's own tables: where records come from, and audiences.

-- Ids of all records of the pair: the engage store uses the same.
create sequence record_ids;

-- A source row as it was last imported: what has not changed is not applied again.
create table source_rows (
  entity      text not null,
  external_id text not null,
  digest      bytea not null,
  cells       jsonb not null,
  primary key (entity, external_id)
);

create table audiences (
  slug         text primary key,
  of           text not null check (of in ('accounts', 'people')),
  zone         text not null,   -- of the workspace: whose days its durations mean
  condition    jsonb not null,
  evaluated_at timestamptz
);

-- next_flip: the instant at which membership may change by the passing of time alone.
create table audience_members (
  audience     text not null references audiences,
  subject_id   bigint not null,
  qualified_at timestamptz not null,
  primary key (audience, subject_id)
);

create table audience_flips (
  audience   text not null references audiences,
  subject_id bigint not null,
  next_flip  timestamptz not null,
  primary key (audience, subject_id)
);
create index audience_flips_due on audience_flips (next_flip);

-- The people of an audience's accounts, built as the first step of a published journey.
create table segments (
  journey  text not null,
  version  integer not null,
  audience text references audiences,   -- null: of a list of the engage store
  built_at timestamptz not null,
  primary key (journey, version)
);

create table segment_members (
  journey    text not null,
  version    integer not null,
  account_id bigint not null,
  person_id  bigint not null,
  primary key (journey, version, account_id, person_id),
  foreign key (journey, version) references segments
);
