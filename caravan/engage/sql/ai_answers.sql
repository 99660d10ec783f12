-- name: kept_ai_answer
select answer, call_id from ai_answers
where digest = :digest and (expires_at is null or expires_at > :at);

-- name: keep_ai_answer
insert into ai_answers as a (digest, feature, answer, call_id, kept_at, expires_at)
values (:digest, :feature, :answer, :call_id, :at, :expires_at)
on conflict (digest) do update
set answer = excluded.answer, call_id = excluded.call_id, kept_at = excluded.kept_at, expires_at = excluded.expires_at;

-- name: forget_ai_answers
with old as (
  select digest from ai_answers where expires_at <= :at order by expires_at limit :limit for update skip locked
)
delete from ai_answers a using old where a.digest = old.digest returning 1;

-- name: erase_ai_answers
delete from ai_answers returning 1;
