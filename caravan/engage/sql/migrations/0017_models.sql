-- Models: what was asked of them and what it cost, what a day has spent, and answers that may be given again.

-- What a day (UTC) has spent. Who asks takes this row first, behind it the calls: so parallel ones add up.
create table ai_days (
  day    date primary key,
  tokens bigint not null default 0,
  cost   numeric not null default 0    -- in the operator's currency; what has no price adds nothing
);

-- Every call: what it was for and what it came to, never what was asked or answered. While it is under way its
-- next request is reserved; a call whose process died is over when `open_until` has passed, and what was
-- reserved counts as spent.
create table ai_calls (
  id            bigint generated always as identity primary key,
  feature       text not null,
  model         text not null,
  digest        text not null,         -- of the question; ai_answers.digest
  at            timestamptz not null,  -- by the real clock: money is spent then
  outcome       text,                  -- null: under way; answered, cached, failed, over-budget, lost
  requests      integer not null default 0,
  tokens_in     bigint not null default 0,
  tokens_out    bigint not null default 0,
  cost          numeric,               -- null: the price is unknown
  latency_ms    integer,
  reserved_in   bigint not null default 0,
  reserved_out  bigint not null default 0,
  reserved_cost numeric,
  open_until    timestamptz not null
);
create index ai_calls_open on ai_calls (open_until) where outcome is null;
create index ai_calls_at on ai_calls (at);

-- Answers by the digest of their question. They may speak of people: they are short-lived, and all of them go when
-- a person is erased.
create table ai_answers (
  digest     text primary key,
  feature    text not null,
  answer     text not null,            -- JSON; jsonb would refuse some of what models say
  call_id    bigint not null,
  kept_at    timestamptz not null,
  expires_at timestamptz               -- null: when they are forgotten by hand
);
create index ai_answers_expired on ai_answers (expires_at);
