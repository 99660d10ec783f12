-- name: question_lists
-- Something about these has changed that a condition may ask for.
insert into list_questions (of, subject_id)
select q.of, q.id
from (select 'accounts' as of, unnest(:account_ids::bigint[]) as id
      union all select 'people', unnest(:person_ids::bigint[])) q
where exists (select from lists where condition is not null);

-- name: lists_wait
-- Whether there is anything to look at: who never uses dynamic lists pays for this question alone.
select exists (select from list_questions)
    or exists (select from list_flips where next_flip <= :at)
    or exists (select from lists where condition is not null and evaluated_at is null
                 and xid < pg_snapshot_xmin(pg_current_snapshot()));

-- name: dynamic_lists
-- `due`: to be evaluated as a whole, and nobody writes any more who may not have seen it.
select of, slug, zone, condition,
       evaluated_at is null and xid < pg_snapshot_xmin(pg_current_snapshot()) as due
from lists where condition is not null order by of, slug;

-- name: announce_due_list_flips
with due as (
  select of, list, subject_id from list_flips where next_flip <= :at
  order by next_flip limit :limit for update skip locked
), taken as (
  delete from list_flips f using due
  where f.of = due.of and f.list = due.list and f.subject_id = due.subject_id
  returning f.of, f.subject_id
)
insert into list_questions (of, subject_id) select distinct of, subject_id from taken;

-- name: take_list_questions
delete from list_questions
where id in (select id from list_questions order by id limit :limit for update skip locked)
returning of, subject_id;

-- name: mark_list_evaluated
update lists set evaluated_at = :at where of = :of and slug = :slug;
