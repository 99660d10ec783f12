-- Where records come from, which of them are one, and how to take that apart again (docs/decisions/0020).

-- What a source said of a record, and when: `as_of` is of the row's first word, `stamps` of cells that it changed
-- since. `external_id` is the record's: a named source's own id with its name before it (`crm:17`).
alter table source_rows
  add column source text not null default 'files',
  add column as_of timestamptz,
  add column stamps jsonb not null default '{}',
  drop constraint source_rows_pkey,
  add primary key (entity, external_id, source);

-- The cells of a row that count against what the source said before: an older word of it changes nothing.
create function newer_cells(cells jsonb, stamps jsonb, as_of timestamptz, fields jsonb, at timestamptz)
  returns jsonb language sql immutable parallel safe
  return winning_fields(fields, stamps_of(cells, coalesce(stamp(as_of), '')) || stamps, stamp(at), true);

-- Rules of the workspace. `matched_to`: how far the records that were there before it have been looked at; null: all.
create table identity_rules (
  slug       text primary key,
  of         text not null check (of in ('accounts', 'people')),
  match      text[] not null,
  matched_to bigint
);

-- What a record is found by under a rule: a digest, for a name may be longer than an index takes.
create table match_keys (
  entity    text not null check (entity in ('account', 'person')),
  record_id bigint not null,
  rule      text not null references identity_rules on delete cascade,
  key       bytea not null,
  primary key (entity, record_id, rule)
);
create index match_keys_key on match_keys (entity, rule, key);

-- A record that is one with others: its own word, as it would stand alone. `survivor_id` is the record that stands
-- for all of them, itself too; `at`: since when.
create table united (
  entity      text not null check (entity in ('account', 'person', 'relation')),
  id          bigint not null,
  survivor_id bigint not null,
  attributes  jsonb not null,
  stamps      jsonb not null,
  deleted_at  timestamptz,
  at          timestamptz not null,
  primary key (entity, id)
);
create index united_survivor on united (entity, survivor_id);

-- What was said of a unified record itself: by journeys, by people through links and pages, by an API.
create table said_together (
  entity      text not null check (entity in ('account', 'person')),
  survivor_id bigint not null,
  attributes  jsonb not null,
  stamps      jsonb not null,
  primary key (entity, survivor_id)
);

-- Every merge: which record was like which, by which rule and values, who stood for both then, by whose import.
create table merges (
  id          bigint generated always as identity primary key,
  entity      text not null check (entity in ('account', 'person')),
  record_id   bigint not null,
  like_id     bigint not null,
  survivor_id bigint not null,
  rule        text not null,
  matched     jsonb not null,
  source      text,                    -- null: the rule was new, and the records were there
  at          timestamptz not null,
  undone_at   timestamptz,
  undone_why  text
);
create index merges_record on merges (entity, record_id);
create index merges_like on merges (entity, like_id);

-- Two records that somebody took apart: no rule makes them one again.
create table kept_apart (
  entity   text not null check (entity in ('account', 'person')),
  id       bigint not null,
  other_id bigint not null check (id < other_id),
  at       timestamptz not null,
  primary key (entity, id, other_id)
);
create index kept_apart_other on kept_apart (entity, other_id);

-- A record that another stands for is flagged as deleted and keeps what it was.
alter table accounts add column merged_into bigint;
create index accounts_merged on accounts (merged_into) where merged_into is not null;
alter table people add column merged_into bigint;
create index people_merged on people (merged_into) where merged_into is not null;
create or replace view named_accounts as
select id, external_id, attributes, stamps, deleted_at, merged_into from accounts where attributes ? 'name';

-- What belongs to a unified record, and to whom of it where it is not the survivor's own.
alter table opportunities add column own_account_id bigint;
create index opportunities_own_account on opportunities (own_account_id) where own_account_id is not null;
alter table activities add column own_account_id bigint, add column own_person_id bigint;
create index activities_own_account on activities (own_account_id) where own_account_id is not null;
create index activities_own_person on activities (own_person_id) where own_person_id is not null;

-- Files of a source that were taken in, by their latest content: `import --new` passes them by.
create table imported_files (
  source text not null,
  file   text not null,
  digest bytea not null,
  at     timestamptz not null,
  primary key (source, file)
);
