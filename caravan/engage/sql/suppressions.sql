-- name: suppress
-- How many are new, or suppressed for a graver reason than before.
with written as (
  insert into suppressions as s (subject, reason, why, source, added_at)
  select * from unnest(:subjects::text[], :reasons::text[], :whys::text[], :sources::text[], :ats::timestamptz[])
  on conflict (subject) do update
  set reason = excluded.reason, why = excluded.why, source = excluded.source, added_at = excluded.added_at
  where array_position(array['opt_out', 'complaint', 'hard_bounce', 'blocked'], excluded.reason)
      > array_position(array['opt_out', 'complaint', 'hard_bounce', 'blocked'], s.reason)
  returning 1
)
select count(*) from written;

-- name: unsuppress
delete from suppressions where subject = any(:subjects::text[]) returning subject;

-- name: suppressions
-- Newest first, a page at a time from behind (added_at, subject).
select subject, reason, why, source, added_at from suppressions
where (:reason::text is null or reason = :reason)
order by added_at desc, subject limit :limit;

-- name: suppressions_by_subject
select subject, reason, why, source, added_at from suppressions
where subject > :after and (:reason::text is null or reason = :reason)
order by subject limit :limit;

-- name: suppression_counts
select reason, count(*) as subjects from suppressions group by reason order by reason;
