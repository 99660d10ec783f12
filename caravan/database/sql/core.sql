-- The core tables: the same in a Platform sandbox and in an engage subscription, so that one
-- condition compiler serves audiences and splits. `id` is the pair-wide surrogate (given by the
-- Platform store); `external_id` is the outside id and never leaves the stores.
-- A field that is empty is absent from `attributes`; `stamps` keeps the as_of of every field that
-- was ever written (also of cleared ones), as text that sorts like the instant it names.

create function stamp(moment timestamptz) returns text
  language sql immutable parallel safe
  return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- The fields of a change that win against a row's stamps: a later as_of always, an equal one only
-- where the writer wins ties (the Platform's word flowing down).
create function winning_fields(fields jsonb, stamps jsonb, as_of text, wins_ties boolean)
  returns jsonb language sql immutable parallel safe
  return (select coalesce(jsonb_object_agg(f.key, f.value), '{}'::jsonb)
          from jsonb_each(fields) f
          where not stamps ? f.key
             or stamps ->> f.key < as_of
             or (wins_ties and stamps ->> f.key = as_of));

create function stamps_of(fields jsonb, as_of text) returns jsonb
  language sql immutable parallel safe
  -- two arrays are half the price of an aggregate of pairs
  return (select coalesce(jsonb_object(array_agg(k), array_agg(as_of)), '{}'::jsonb) from jsonb_object_keys(fields) k);

create table accounts (
  id          bigint primary key,
  external_id text not null unique,
  attributes  jsonb not null default '{}',
  stamps      jsonb not null default '{}',
  deleted_at  timestamptz
);

create table people (
  id          bigint primary key,
  external_id text not null unique,
  attributes  jsonb not null default '{}',
  stamps      jsonb not null default '{}',
  deleted_at  timestamptz
);
create index people_email on people (casefold(attributes ->> 'email'));

-- attributes.roles is an array of role names
create table relations (
  id         bigint primary key,
  account_id bigint not null references accounts,
  person_id  bigint not null references people,
  attributes jsonb not null default '{}',
  stamps     jsonb not null default '{}',
  deleted_at timestamptz,
  unique (account_id, person_id)
);
create index relations_person on relations (person_id);

create table opportunities (
  id          bigint primary key,
  external_id text not null unique,
  account_id  bigint not null references accounts,
  attributes  jsonb not null default '{}',
  stamps      jsonb not null default '{}',
  deleted_at  timestamptz
);
create index opportunities_account on opportunities (account_id);

-- What happened, to an account (account_id) or by a person (person_id). `type` is the event name
-- of the language (form_filled, email_clicked, account_changed …), `fields` its arguments.
create table activities (
  id          bigint generated always as identity primary key,
  external_id text unique,
  type        text not null,
  at          timestamptz not null,
  account_id  bigint,
  person_id   bigint,
  fields      jsonb not null default '{}',
  check (account_id is not null or person_id is not null)
);
create index activities_person on activities (person_id, type, at) where person_id is not null;
create index activities_account on activities (account_id, type, at) where account_id is not null;

-- The outbox. Read below the snapshot horizon in (epoch, xid, seq) order, so a late commit is
-- never skipped (see caravan/database/outbox.py).
create table changes (
  epoch  integer not null default 1,
  xid    xid8 not null default pg_current_xact_id(),
  seq    bigint generated always as identity,
  entity text not null check (entity in ('account', 'person', 'relation', 'opportunity', 'activity')),
  id     bigint not null,
  fields jsonb not null default '{}',
  as_of  timestamptz not null,
  origin text not null,
  primary key (epoch, xid, seq)
);

-- How far a reader of the other store's outbox has come; committed with what it applied.
create table cursors (
  stream     text primary key,
  epoch      integer not null default 1,
  xid        xid8 not null default '0',
  seq        bigint not null default 0,
  applied    bigint not null default 0,
  moved_at   timestamptz
);
