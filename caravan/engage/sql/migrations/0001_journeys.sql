-- The engage store's own tables: journeys and their campaigns, traversals, the ledger and the queues.

create table pair (
  singular boolean primary key default true check (singular),
  sandbox  text not null,
  munchkin text not null
);

create table plans (
  hash       text primary key,
  body       json not null,   -- json, not jsonb: nodes keep the order they were written in
  mail_first boolean not null -- its workflows begin with an activity that sends
);

-- One row per version of a journey. At most one version of a slug takes new entries. A campaign that
-- may be requested is a row too, of the kind 'campaign': what a request travels.
create table journeys (
  id           bigint generated always as identity primary key,
  kind         text not null default 'journey' check (kind in ('journey', 'campaign')),
  slug         text not null,
  version      integer not null,
  name         text not null,
  state        text not null check (state in
                 ('draft', 'scheduled', 'live', 'closed', 'finished', 'aborted')),
  plan_hash    text not null references plans,
  audience     text not null,
  of_list      boolean not null default false,  -- the audience is an account list of this store
  rules        jsonb not null default '{}',  -- caravan.journeys.entry.EntryRules
  entry_limit  integer default 1,            -- of them: entries per account; null: any number
  starts_at    timestamptz,
  ends_at      timestamptz,
  deadline     timestamptz,       -- ends_at and grace: whoever is inside then exits with end-date
  published_at timestamptz,
  paused_at    timestamptz,       -- nobody enters and nothing begins; a flag beside scheduled, live and closed
  deleted_at   timestamptz,       -- gone from every list; what was sent stays told
  segment_accounts bigint,        -- the size of the segment the data flow built first
  segment_people   bigint,
  segment_at       timestamptz,   -- when: who was in the audience by then was in it already
  flow_at      timestamptz,       -- when the data flow had brought in all that qualified at publish
  unique (slug, version)
);
create unique index journeys_open on journeys (slug) where state in ('scheduled', 'live');

-- A journey's own campaigns bear its id: ordinary listings and requests never see them. One that may be
-- requested names the version its requests travel.
create table campaigns (
  id         bigint generated always as identity primary key,
  name       text not null,
  journey_id bigint references journeys,
  travels    bigint references journeys,
  position   integer not null default 0,
  body       jsonb not null,
  unique nulls not distinct (journey_id, name)
);

-- How often an account has entered a journey, over all versions; survives their deletion.
create table entries (
  slug            text not null,
  account_id      bigint not null,
  count           integer not null default 0,
  last_entered_at timestamptz,
  last_ended_at   timestamptz,
  settled_end     timestamptz,    -- the end after which its next entry was queued
  refused         text,           -- the rule that last kept it out, since it last entered
  refused_at      timestamptz,
  primary key (slug, account_id)
);
create index entries_account on entries (account_id);
create index entries_ended on entries (slug, account_id) where last_ended_at is distinct from settled_end;

-- How many entered on a day of the journey's zone, where only so many may.
create table entry_days (
  slug  text not null,
  day   date not null,
  count integer not null default 0,
  primary key (slug, day)
);

-- An account that qualified, or was added by another journey (invited), and waits to be admitted from
-- due_at on. A queue: duplicates are harmless.
create table admissions (
  id         bigint generated always as identity primary key,
  journey_id bigint not null references journeys,
  account_id bigint not null,
  queued_at  timestamptz not null,
  due_at     timestamptz not null,
  invited    boolean not null default false
);
create index admissions_journey on admissions (journey_id, due_at, id);
create index admissions_account on admissions (account_id, journey_id);

-- Who asked for a campaign, once: the effect of a journey, or a caller's own key.
create table requests (
  id           bigint generated always as identity primary key,
  key          text not null unique,
  campaign     text not null,
  account_id   bigint not null references accounts,
  requested_at timestamptz not null
);

create table traversals (
  id          bigint generated always as identity primary key,
  journey_id  bigint not null references journeys,
  slug        text not null,
  account_id  bigint not null references accounts,
  entry       integer not null,
  entered_at  timestamptz not null,
  state       jsonb not null,             -- caravan.journeys.state.State
  epoch       integer not null default 1, -- raised by whatever fences effects (abort, remove)
  workflow_id text not null unique,
  started     boolean not null default false,
  checked_at  timestamptz,                -- when the reconciler last saw its workflow
  held_at     timestamptz,                -- since when it stands still because its journey is paused
  ended_at    timestamptz,
  reason      text,
  label       text,
  request_id  bigint references requests,  -- of a campaign: several may be open at once
  unique (slug, account_id, entry)
);
create unique index traversals_open on traversals (slug, account_id) where ended_at is null and request_id is null;
create index traversals_journey on traversals (journey_id);
create index traversals_account on traversals (account_id);
create index traversals_unstarted on traversals (journey_id, id) where not started and ended_at is null;
create index traversals_held on traversals (journey_id) where held_at is not null;
create index traversals_inside on traversals (journey_id, id) where ended_at is null;
create index traversals_unchecked on traversals (checked_at nulls first, id) where ended_at is null;

-- What was decided, once: the answer to every command of a traversal, in order.
create table steps (
  traversal_id bigint not null references traversals,
  step_no      integer not null,
  node         text not null,
  kind         text not null,
  visit        integer not null,
  arrived_at   timestamptz not null,
  outcome      jsonb not null,               -- caravan.journeys.state.Outcome
  because      jsonb not null default '{}',  -- the values that decided it
  primary key (traversal_id, step_no)
);

-- The people of an action node at one arrival, and the path each was given.
create table participants (
  traversal_id bigint not null references traversals,
  node         text not null,
  visit        integer not null,
  person_id    bigint not null,
  path         text,
  because      jsonb not null default '{}',
  primary key (traversal_id, node, visit, person_id)
);

-- How many took each path of a quota node, over all versions of its journey.
create table variant_counts (
  slug  text not null,
  node  text not null,
  path  text not null,
  count bigint not null default 0,
  primary key (slug, node, path)
);

-- One row per effect: of a write to the stores, in the transaction of the write; of a message, claimed
-- before the provider is called. person_id 0 is the account itself. `until`: when a message refused for
-- now may be tried again; the queue that does it is still to come.
create table ledger (
  traversal_id bigint not null references traversals,
  node         text not null,
  visit        integer not null,
  position     integer not null,
  person_id    bigint not null,
  action       text not null,
  state        text not null check (state in ('done', 'skipped', 'held', 'claimed', 'handed_over',
                                              'accepted', 'refused', 'deferred', 'in_doubt')),
  reason       text,
  path         text,
  message_id   text unique,
  template     text,
  reply        text,
  until        timestamptz,
  claimant     text,                      -- the try that claimed it, so that another knows it is not its own
  claimed_at   timestamptz not null,
  settled_at   timestamptz,
  primary key (traversal_id, node, visit, position, person_id)
);
create index ledger_person on ledger (person_id, claimed_at) where person_id <> 0;
create index ledger_unsettled on ledger (state, until)
  where state in ('claimed', 'handed_over', 'deferred', 'held', 'in_doubt');

-- A traversal that rests at a node until something happens to its account. Closed once; the first
-- commit wins. purpose `moment`: a wait for a date of the account, which a change may move.
create table listeners (
  id           bigint generated always as identity primary key,
  traversal_id bigint not null references traversals,
  step_no      integer not null,
  account_id   bigint not null,
  purpose      text not null check (purpose in ('listen', 'moment')),
  node         text not null,
  plan_hash    text not null,
  types        text[] not null,
  field        text,
  from_at      timestamptz not null,
  until_at     timestamptz not null,
  closed_at    timestamptz,
  edge         text,
  activity_id  bigint,
  person_id    bigint,
  heard_at     timestamptz,
  unique (traversal_id, step_no)
);
create index listeners_open on listeners (account_id) where closed_at is null;
create index listeners_heard on listeners (traversal_id, activity_id) where activity_id is not null;

-- Whose an address is at an e-mail of a journey that deduplicates, while their traversal is open.
create table mailed_addresses (
  slug         text not null,
  node         text not null,
  position     integer not null,
  address      text not null,           -- case folded
  traversal_id bigint not null,
  visit        integer not null,
  person_id    bigint not null,
  primary key (slug, node, position, address)
);

-- A traversal that rests while its journey has exits it has not taken: what changes of its account is
-- looked at for it. `edge`: the exit that was seen met; `next_flip`: when time alone may have one met.
create table exit_watches (
  traversal_id bigint primary key references traversals,
  account_id   bigint not null,
  plan_hash    text not null,
  exits        text[] not null,
  next_flip    timestamptz,
  edge         text,
  because      jsonb
);
create index exit_watches_account on exit_watches (account_id) where edge is null;

-- A question to an outside service: one row a request, claimed before it is made. person_id 0 is the
-- account, alone or with its people. Closed once; the first commit of answer and time-out wins.
create table calls (
  id           bigint generated always as identity primary key,
  traversal_id bigint not null references traversals,
  node         text not null,
  visit        integer not null,
  person_id    bigint not null,
  about        text not null check (about in ('account', 'people', 'account_people')),
  service      text not null,
  state        text not null check (state in ('claimed', 'submitted', 'answered', 'timed_out', 'failed')),
  token_hash   bytea not null unique,     -- SHA-256 of what the service must show to answer
  claimed_at   timestamptz not null,
  tries        integer not null default 0,
  submitted_at timestamptz,
  answered_at  timestamptz,
  late_at      timestamptz,               -- an answer came, and nobody waited for it any more
  answer       jsonb,                     -- caravan.services.callback.Parts
  reply        text,                      -- why it is not submitted yet, or has failed
  unique (traversal_id, node, visit, person_id)
);

-- A traversal whose workflow is to look at its row again.
create table wakeups (
  id           bigint generated always as identity primary key,
  traversal_id bigint not null references traversals,
  reason       text not null
);
