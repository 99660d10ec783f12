-- Buying groups: their documents in versions, the groups and who is in them, and what engages people.
-- They live in this store alone: nothing here has a change in the outbox (docs/guarantees.md).
--
-- Who needs several of these locks takes them in this order: accounts, people, their engagement, groups, each
-- by id; members are written under the lock of their group.

-- What a document said, kept for as long as groups follow it: a changed document is a new version.
create table roles_templates (
  id          bigint generated always as identity primary key,
  slug        text not null,
  version     integer not null,
  body        jsonb not null,          -- caravan.journeys.documents.roles_template.RolesTemplateDocument
  denominator numeric not null,        -- completeness is counted in parts of this size, so that it is exact
  stored_at   timestamptz not null,
  unique (slug, version)
);

-- Its roles, for joins; `priority` 0 comes first. `parts`: what one assigned person adds to completeness,
-- up to `members_required` of them; 0 where the role is not required.
create table template_roles (
  template_id      bigint not null references roles_templates,
  role             text not null,
  priority         integer not null,
  weight           integer not null,
  required         boolean not null,
  members_required integer not null,
  parts            numeric not null,
  primary key (template_id, role)
);

create table stage_models (
  id        bigint generated always as identity primary key,
  slug      text not null,
  version   integer not null,
  body      jsonb not null,            -- caravan.journeys.documents.stage_model.StageModelDocument
  stored_at timestamptz not null,
  unique (slug, version)
);

-- A solution interest follows the latest version of its template and of its stage model; its groups do so
-- from their next upkeep on.
create table solution_interests (
  slug           text primary key,
  roles_template text not null,
  stage_model    text,
  qualified      jsonb                 -- caravan.journeys.documents.solution_interest.Qualified
);

-- A job makes a group for every account of its audience. A solution interest of which no job is left keeps
-- its groups, and they are kept up no more. `asks`: the events that may change whom the roles of its template
-- fit. Its first intake: how many accounts it is of, and when they were all here.
create table buying_group_jobs (
  id                bigint generated always as identity primary key,
  slug              text not null unique,
  solution_interest text not null references solution_interests,
  audience          text not null,
  asks              text[] not null,
  stored_at         timestamptz not null,
  size              bigint,
  flow_at           timestamptz,
  deleted_at        timestamptz
);
create index buying_group_jobs_open on buying_group_jobs (solution_interest) where deleted_at is null;

-- What engagement is counted by; exactly one is active.
create table score_models (
  id        bigint generated always as identity primary key,
  slug      text not null,
  version   integer not null,
  body      jsonb not null,            -- caravan.journeys.documents.score_model.ScoreModelDocument
  active    boolean not null default false,
  stored_at timestamptz not null,
  unique (slug, version)
);
create unique index score_models_active on score_models (active) where active;

-- One group for an account and a solution interest.
create table buying_groups (
  id                bigint generated always as identity primary key,
  account_id        bigint not null references accounts,
  solution_interest text not null references solution_interests,
  template_id       bigint not null references roles_templates,  -- the version it follows
  stage_model_id    bigint references stage_models,              -- likewise
  stage             text,
  stage_at          timestamptz,
  status            text,
  status_at         timestamptz,
  completeness      numeric not null default 0,   -- 0 to 100, exact: shown rounded half up
  engagement        numeric not null default 0,   -- 0 to 100, under `scale_id`
  scale_id          bigint,                       -- null: nothing has engaged its people yet
  qualified_at      timestamptz,                  -- when it first met what its solution interest asks for
  created_at        timestamptz not null,
  kept_at           timestamptz,                  -- the last upkeep; null: made, and not looked at yet
  unique (account_id, solution_interest)
);
create index buying_groups_interest on buying_groups (solution_interest, id);
create index buying_groups_scale on buying_groups (scale_id, id);

-- One role per person and group. Who was removed stays, flagged; `source` is who last had a say, also in
-- the removal: manual > journey > job, and nobody undoes what somebody higher did;
-- only who is of the account no more leaves whoever put them there (caravan/buying_groups/precedence.py).
create table buying_group_members (
  group_id   bigint not null references buying_groups,
  person_id  bigint not null references people,
  role       text not null,
  source     text not null check (source in ('manual', 'journey', 'job')),
  added_at   timestamptz not null,
  removed_at timestamptz,
  primary key (group_id, person_id)
);
create index buying_group_members_person on buying_group_members (person_id, group_id);

-- Stages and statuses a group has had, and when; the first from null.
create table buying_group_history (
  id       bigint generated always as identity primary key,
  group_id bigint not null references buying_groups,
  what     text not null check (what in ('stage', 'status')),
  old      text,
  new      text,
  at       timestamptz not null,
  source   text not null check (source in ('manual', 'journey', 'job'))
);
create index buying_group_history_group on buying_group_history (group_id, what, at);

-- Whose groups are to be looked at again. A queue: duplicates are harmless. `xid`: not before all
-- transactions are over that had begun when it was asked; null: at once.
create table buying_group_questions (
  id         bigint generated always as identity primary key,
  account_id bigint not null,
  xid        xid8
);

-- Engagement. What people did, by day of the score model's zone, uncapped: the window moves and weights
-- change over the same counts.
create table engagement_days (
  person_id bigint not null,
  type      text not null,
  day       date not null,
  count     integer not null,
  primary key (person_id, type, day)
);
create index engagement_days_day on engagement_days (day);

-- What scores go by for a day: the window, the weights of the types that occurred in it, and the 99th
-- percentiles of what people and groups have. The latest row is in force; people and groups that say
-- another are brought up to it page by page. `counted`: the types that have days, those of the model that
-- weigh, whether they occurred or not.
create table engagement_scales (
  id             bigint generated always as identity primary key,
  score_model_id bigint not null references score_models,
  day            date not null,        -- of the model's zone, on which it was made
  from_day       date not null,        -- the first day that counts; the last is the one after `day`
  zone           text not null,
  daily_cap      integer not null,
  counted        text[] not null,
  weights        jsonb not null,       -- type → weight, of those in use
  heaviest       integer,              -- the largest of them; null: none is in use
  person_p99     numeric,              -- of sqrt(raw) over the people with any; null: nobody has
  group_p99      numeric,
  made_at        timestamptz not null
);

-- A person's standing under a scale: `points` is the sum over days and types of min(count, cap) × weight,
-- whole; raw = points / the largest weight in use. Whoever changes what a person did locks this row first.
create table engagement_people (
  person_id bigint primary key,
  scale_id  bigint references engagement_scales,  -- null: not reckoned yet
  points    bigint not null default 0,
  score     numeric not null default 0            -- 0 to 100, derived
);
create index engagement_people_scale on engagement_people (scale_id, person_id);

-- scaled(sqrt(raw)) × 100, to six places: of a person and of a group (caravan/journeys/engagement.py). The
-- sums beneath are of whole numbers and of scores with six places, so no order of adding changes them.
-- 0 where there is no sum, or nobody to compare with; least() alone would take a null for the most.
create function engagement_score(raw numeric, p99 numeric) returns numeric
  language sql immutable parallel safe
  return case when raw > 0 and p99 > 0 then round(100 * least(1, sqrt(raw::numeric(60, 20)) / p99), 6) else 0 end;

-- Whether a journey's plan asks how engaged people are, in a condition or by `top`: told once, as bodies are
-- large (see `renewal`).
alter table plans add column asks_engagement boolean
  generated always as (body::text ~ '"(engagement|top)" *:') stored;
