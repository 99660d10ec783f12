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
with gone as (
  delete from suppressions where subject = any(:subjects::text[]) returning subject, reason
)
insert into suppressions_removed (subject, reason, why, removed_at)
select subject, reason, :why, :at from gone returning subject;

-- name: suppressions_removed
select subject, reason, why, removed_at from suppressions_removed
where (:reason::text is null or reason = :reason) order by removed_at desc, subject limit :limit;

-- name: suppressions
-- Newest first.
select subject, reason, why, source, added_at from suppressions
where (:reason::text is null or reason = :reason)
order by added_at desc, subject limit :limit;

-- name: suppressions_by_subject
select subject, reason, why, source, added_at from suppressions
where subject > :after and (:reason::text is null or reason = :reason)
order by subject limit :limit;

-- name: suppression_counts
select reason, count(*) as subjects from suppressions group by reason order by reason;

-- name: suppressed_among
select subject, reason, why, source, added_at from suppressions where subject = any(:subjects::text[]) order by subject;
