-- name: kept_ai_answer
select answer, call_id from ai_answers
where digest = :digest and (expires_at is null or expires_at > :at);

-- name: keep_ai_answer
-- Not one that was asked for while somebody was erased: it may speak of them.
insert into ai_answers as a (digest, feature, answer, call_id, kept_at, expires_at)
select :digest, :feature, :answer, :call_id, :at, :expires_at
where not exists (select from erasures e join ai_calls c on c.id = :call_id where e.at >= c.at)
on conflict (digest) do update
set answer = excluded.answer, call_id = excluded.call_id, kept_at = excluded.kept_at, expires_at = excluded.expires_at;

-- name: forget_ai_answers
with old as (
  select digest from ai_answers where expires_at <= :at order by expires_at limit :limit for update skip locked
)
delete from ai_answers a using old where a.digest = old.digest returning 1;

-- name: lock_ai_answers
-- Whoever is about to keep one waits, and sees then who was erased.
lock table ai_answers in share row exclusive mode;

-- name: erase_ai_answers
-- All of them: whom an answer speaks of is not written down, and it can be asked for again.
delete from ai_answers returning 1;
