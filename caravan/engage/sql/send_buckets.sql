-- name: lease_turns
-- So many turns of a bucket, one every so many seconds: how long from now to the first. A bucket that was idle
-- has saved up the turns of its last moments. By the real clock, of the database alone: what a relay bears
-- is nothing of domain time.
insert into send_buckets as b (key, next_at)
values (:key, clock_timestamp() + make_interval(secs => :seconds::float8))
on conflict (key) do update
  set next_at = greatest(b.next_at, clock_timestamp() - make_interval(secs => :saved::float8))
              + make_interval(secs => :seconds::float8)
returning extract(epoch from next_at - clock_timestamp())::float8 - :seconds::float8 as wait;
