-- Personas: told from job titles. What is read of a title is kept by title, and a person has the persona of their title.

-- Null: no title, one that is like nothing, or one that nobody has read yet.
alter table people add column persona text;

-- The documents in force: the texts that titles are compared with, and what the model read in them. compared_to: the
-- titles up to this one have been compared with it; null: all have.
create table personas (
  slug        text primary key,
  place       integer not null,
  likenesses  text[] not null,
  vectors     bytea[] not null,
  model       text not null,
  compared_to text
);

-- Each title once. Its vector is kept, so that changed personas are compared with it and nothing is read anew.
create table title_personas (
  title        text primary key,   -- folded
  model        text not null,
  vector       bytea not null,
  persona      text,
  score        double precision not null,
  unclear      boolean not null,
  alternatives jsonb not null      -- the nearest personas with their scores and examples
);

-- People whose title is to be read, or whose persona is to be told to the engage store.
create table persona_questions (person_id bigint primary key);

-- Its first 200 characters: no title has more, and what reads them takes its time. Null where there is nothing to read:
-- blanks, digits and punctuation alone.
create function folded_title(title text) returns text language sql immutable parallel safe
  return case when left(title, 1000) ~ '[^\s\d!-/:-@[-`{-~]'
              then casefold(left(btrim(regexp_replace(left(title, 1000), '\s+', ' ', 'g')), 200)) end;

-- Who bears a title: asked when it is read, when its persona is another, and when somebody is erased.
create index people_by_title on people (folded_title(attributes ->> 'job_title'))
  where folded_title(attributes ->> 'job_title') is not null;

-- A person has the persona of their title, whoever writes it: imports, changes, merges, what comes up. Where nobody has
-- read the title yet, the person is in question.
create function persona_follows_title() returns trigger language plpgsql as $$
begin
  if not exists (select from personas) then
    return new;
  end if;
  select t.persona into new.persona from title_personas t where t.title = folded_title(new.attributes ->> 'job_title');
  if not found then
    new.persona := null;
  end if;
  -- an inserted row is told of by whoever inserts it; of a changed one the engage store may know the title already
  if (tg_op = 'UPDATE' and new.persona is distinct from old.persona)
     or (not found and folded_title(new.attributes ->> 'job_title') is not null) then
    insert into persona_questions (person_id) values (new.id) on conflict do nothing;
  end if;
  return new;
end $$;
create trigger persona_of_new_people before insert on people for each row
  when (new.attributes ? 'job_title') execute function persona_follows_title();
create trigger persona_of_changed_people before update of attributes on people for each row
  when (new.attributes -> 'job_title' is distinct from old.attributes -> 'job_title') execute function persona_follows_title();
