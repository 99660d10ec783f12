-- What a model was asked at nodes of the kind decide, and what came of it: one row a visit, claimed before it is asked.
-- `facts`: what it is told, read once, so that whoever asks again asks the same; `people`: whom it knows as person 1,
-- person 2 … An answer is noted when it comes, and settled (`edge`) in the transaction of the step that takes it.
create table decisions (
  id           bigint generated always as identity primary key,
  traversal_id bigint not null references traversals,
  node         text not null,
  visit        integer not null,
  claimed_at   timestamptz not null,
  tries        integer not null default 0,
  facts        jsonb,                     -- caravan.campaigns.decision_facts.Facts; null: nobody was asked, or erased
  people       bigint[] not null default '{}',
  digest       text,                      -- SHA-256 of all that the model was asked
  model        text,                      -- who answered; null: nobody did
  path         text,                      -- the name of the path it would take
  confidence   double precision,
  reason       text,                      -- in the model's words, or ours where it did not answer
  cause        text check (cause in ('low-confidence', 'missing-data', 'no-model', 'switched-off', 'budget-spent',
                                     'failed', 'timeout', 'unanswered')),  -- why it was not taken
  edge         text,                      -- null: it is not decided yet
  decided_at   timestamptz,
  unique (traversal_id, node, visit)
);
create index decisions_people on decisions using gin (people);
