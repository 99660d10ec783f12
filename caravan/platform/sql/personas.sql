-- Personas and the titles they are told from. Who writes here holds `one_writer`: the trigger that gives a person the
-- persona of their title (migration 0011) then sees every title that has been read.

-- name: personas
select slug, likenesses, vectors, model, compared_to from personas order by place;

-- name: store_persona
-- Every title is to be compared with it.
insert into personas (slug, place, likenesses, vectors, model, compared_to)
values (:slug, :place, :likenesses, :vectors, :model, '');

-- name: forget_personas
delete from personas;

-- name: forget_titles
-- Those of another model, which cannot be compared any more; of every model where none is named.
delete from title_personas where model is distinct from :model::text;

-- name: titles_to_compare
-- The next that have not been compared with the personas in force.
select title, vector from title_personas where title > :after order by title limit :limit;

-- name: note_compared_to
update personas set compared_to = :compared_to;

-- name: compare_titles
-- What titles came to; those whose persona is another now come back.
update title_personas t
set persona = c.persona, score = c.score, unclear = c.unclear, alternatives = c.alternatives::jsonb
from unnest(:titles::text[], :personas::text[], :scores::double precision[], :unclears::boolean[], :alternatives::text[])
  as c (title, persona, score, unclear, alternatives)
where t.title = c.title and (t.persona, t.score, t.unclear, t.alternatives) is distinct from (c.persona, c.score, c.unclear, c.alternatives::jsonb)
returning t.title, old.persona is distinct from new.persona as is_another;

-- name: note_titles
-- In the transaction that writes who bears them, or of titles that somebody bears: nobody's would be left when who had it
-- is erased. Two who read the same title at once found the same.
insert into title_personas (title, model, vector, persona, score, unclear, alternatives)
select c.title, :model, c.vector, c.persona, c.score, c.unclear, c.alternatives::jsonb
from unnest(:titles::text[], :vectors::bytea[], :personas::text[], :scores::double precision[], :unclears::boolean[], :alternatives::text[])
  as c (title, vector, persona, score, unclear, alternatives)
on conflict do nothing;

-- name: titles_borne
-- Those of them that somebody has.
select i.title from unnest(:titles::text[]) as i (title)
where exists (select from people p where folded_title(p.attributes ->> 'job_title') = i.title);

-- name: question_people_of_titles
insert into persona_questions (person_id)
select id from people where folded_title(attributes ->> 'job_title') = any(:titles::text[])
on conflict do nothing;

-- name: question_people_amiss
-- Whose title nobody has read, whose persona is none of those in force, or is not that of their title.
insert into persona_questions (person_id)
select p.id from people p left join title_personas t on t.title = folded_title(p.attributes ->> 'job_title')
where case when t.title is not null then p.persona is distinct from t.persona
           else p.persona is not null and not exists (select from personas s where s.slug = p.persona)
                or exists (select from personas) and folded_title(p.attributes ->> 'job_title') is not null end
on conflict do nothing;

-- name: question_everybody_with_a_title
-- Of a sandbox that has been paired anew: the subscription is to hear everybody's.
insert into persona_questions (person_id)
select id from people where exists (select from personas) and attributes ? 'job_title' or persona is not null
on conflict do nothing;

-- name: persona_work_waits
select exists (select from persona_questions) or exists (select from personas where compared_to is not null);

-- name: settle_persona_questions
-- People who can be answered: whose title has been read, who have none, or who have a persona that is gone. Each gets
-- that of the title, and the engage store is told of them; whose title is still to be read stays in question. Rows of the queue
-- are found again by where they lie: whatever Postgres believes of its size, which is seldom so, none is looked for.
with page as materialized (
  select q.ctid as place, q.person_id, t.persona, t.title is null and w.title is not null and w.asked as is_unread
  from persona_questions q
  left join people p on p.id = q.person_id
  cross join lateral (select folded_title(p.attributes ->> 'job_title') as title, exists (select from personas) as asked) w
  left join title_personas t on t.title = w.title
  where t.title is not null or w.title is null or not w.asked
     or p.persona is not null and not exists (select from personas s where s.slug = p.persona)
  limit :limit
), answered as (
  delete from persona_questions q using page where q.ctid = page.place and not page.is_unread
), settled as (
  update people p set persona = page.persona from page
  where p.id = page.person_id and p.persona is distinct from page.persona
), told as (
  insert into changes (entity, id, as_of, origin) select 'person', person_id, :at, 'persona' from page
)
select count(*) from page;

-- name: titles_to_read
-- Of people in question; a title once, however many bear it.
select distinct folded_title(p.attributes ->> 'job_title') as title
from (select person_id from persona_questions order by person_id limit :people) q
join people p on p.id = q.person_id
where folded_title(p.attributes ->> 'job_title') is not null
  and not exists (select from title_personas t where t.title = folded_title(p.attributes ->> 'job_title'))
limit :limit;

-- name: titles_unread
-- Of these, with how they are folded; none where nobody is told apart.
select i.title, w.folded from unnest(:titles::text[]) as i (title)
cross join lateral (select folded_title(i.title) as folded) w
where exists (select from personas) and w.folded is not null
  and not exists (select from title_personas t where t.title = w.folded);

-- name: people_unread
select count(*) from persona_questions;

-- name: titles_of_people
-- Each title that people bear, with what it came to: null where nobody has read it.
select folded_title(p.attributes ->> 'job_title') as title, count(*) as people, t.persona, t.score, t.unclear, t.alternatives,
       t.title is not null as is_read
from people p left join title_personas t on t.title = folded_title(p.attributes ->> 'job_title')
where p.deleted_at is null and p.merged_into is null and folded_title(p.attributes ->> 'job_title') is not null
group by 1, t.title, t.persona, t.score, t.unclear, t.alternatives
order by people desc, title;

-- name: persona_of_person
-- The persona with what it was told from.
select p.persona, p.attributes ->> 'job_title' as job_title, t.score, t.unclear, t.alternatives, t.title is not null as is_read
from people p left join title_personas t on t.title = folded_title(p.attributes ->> 'job_title')
where p.id = :id;

-- name: titles_at_accounts
-- Each title once, with how many people bear it at which accounts (an account stands there once for each spelling), of
-- accounts in one of these audiences, or of all where none is named. Whoever has no title counts under null.
with spelt as (
  select w.title, casefold(p.attributes ->> 'job_title') as spelling, r.account_id, count(*) as people
  from relations r
  join accounts a on a.id = r.account_id and a.deleted_at is null
  join people p on p.id = r.person_id and p.deleted_at is null
  cross join lateral (select folded_title(p.attributes ->> 'job_title') as title) w
  where r.deleted_at is null
    and (cardinality(:audiences::text[]) = 0
         or exists (select from audience_members m where m.audience = any(:audiences::text[]) and m.subject_id = a.id))
  group by 1, 2, 3
), borne as (
  select title, array_agg(distinct spelling) as spellings, array_agg(account_id order by account_id, spelling) as accounts,
         array_agg(people order by account_id, spelling) as people
  from spelt group by title
)
select b.title, b.spellings, b.accounts, b.people, t.persona, t.score, t.unclear, t.alternatives
from borne b left join title_personas t on t.title = b.title
order by b.title;

-- name: vectors_of_titles
-- What has been read of these, by the model that is to be compared with.
select title, vector from title_personas where title = any(:titles::text[]) and model = :model;
