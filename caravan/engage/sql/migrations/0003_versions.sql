-- What becomes of those inside a version when the next one is published, and e-mail copy changed in
-- versions that run.

-- leads_to: the version that those inside move to, once each stands between two nodes. renamed: what nodes
-- are called there, where not the same. lead_no counts the times it was said, so that whoever could not move
-- is asked again when it is said again.
-- empties: those inside are taken out. copies_hash: of the copy that was changed since (live_copies).
alter table journeys
  add column leads_to    bigint references journeys,
  add column lead_no     integer not null default 0,
  add column renamed     jsonb not null default '{}',
  add column empties     boolean not null default false,
  add column copies_hash text;
create index journeys_leading on journeys (leads_to) where leads_to is not null;

-- By which lead_no it was decided that an account stays: the other version has no such node.
alter table traversals add column kept_no integer;

-- The copy that messages of a version are written with, where it was changed after publishing: the plan
-- itself never changes. The latest of a template counts; ledger.copy names it.
create table live_copies (
  journey_id   bigint not null references journeys on delete cascade,
  copy         integer not null,
  template     text not null,
  body         jsonb not null,  -- caravan.journeys.templates.TemplateDocument
  published_at timestamptz not null,
  primary key (journey_id, copy)
);

alter table ledger add column copy integer;  -- of live_copies; null: the copy the version was published with
