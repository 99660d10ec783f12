-- Lists, scores, and the audiences that conditions of this store name.

-- A dynamic list has a condition, with the dynamic lists it names put in their place; a static one has
-- none. `xid` is that of its last edit: it is evaluated as a whole once nobody writes any more who may
-- not have seen it, and until then asks about nobody in particular.
create table lists (
  of           text not null check (of in ('accounts', 'people')),
  slug         text not null,
  zone         text not null,
  condition    jsonb,
  audiences    text[] not null default '{}',  -- those its condition names
  xid          xid8 not null default pg_current_xact_id(),
  evaluated_at timestamptz,
  primary key (of, slug)
);

create table list_members (
  of           text not null,
  list         text not null,
  subject_id   bigint not null,
  qualified_at timestamptz not null,
  primary key (of, list, subject_id),
  foreign key (of, list) references lists
);

-- Whom the document of a static list names, by outside ids; settled once they have come into the store
-- and are members. What journeys do to them afterwards stays.
create table list_named (
  of          text not null,
  list        text not null,
  external_id text not null,
  settled     boolean not null default false,
  primary key (of, list, external_id),
  foreign key (of, list) references lists
);
create index list_named_open on list_named (of, external_id) where not settled;

-- next_flip: the instant at which membership may change by the passing of time alone.
create table list_flips (
  of         text not null,
  list       text not null,
  subject_id bigint not null,
  next_flip  timestamptz not null,
  primary key (of, list, subject_id),
  foreign key (of, list) references lists
);
create index list_flips_due on list_flips (next_flip);

-- Whose place in the dynamic lists is to be looked at. A queue: duplicates are harmless.
create table list_questions (
  id         bigint generated always as identity primary key,
  of         text not null,
  subject_id bigint not null
);

-- Audiences that conditions here name, with those of their members the store holds: the Platform says
-- who they are.
create table audience_uses (
  journey_id bigint not null references journeys on delete cascade,
  audience   text not null,
  primary key (journey_id, audience)
);
create table audience_copies (
  audience text primary key,
  of       text not null check (of in ('accounts', 'people'))
);
create table audience_members (
  audience   text not null references audience_copies,
  subject_id bigint not null,
  primary key (audience, subject_id)
);

-- A person without a row has what the score starts with.
create table scores (
  person_id bigint not null references people,
  score     text not null,
  value     bigint not null,
  primary key (person_id, score)
);
