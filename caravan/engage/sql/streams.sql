-- name: note_moved
insert into stream_notes as s (stream, rows, rate, moved_at) values (:stream, :rows, :rate, :at)
on conflict (stream) do update
set rows = s.rows + excluded.rows, rate = excluded.rate, moved_at = excluded.moved_at;

-- name: note_error
insert into stream_notes as s (stream, error, error_at, errors) values (:stream, :error, :at, 1)
on conflict (stream) do update
set error = excluded.error, error_at = excluded.error_at, errors = s.errors + 1;

-- name: stream_notes
select stream, rows, rate, moved_at, error, error_at, errors from stream_notes;

-- name: queues
-- What waits in this store for each stream that takes from a queue, and since when the oldest does.
select 'bring-in' as stream, coalesce(sum(greatest(j.segment_accounts - coalesce(c.applied, 0), 0)), 0)::bigint as rows,
       min(j.published_at) filter (where j.segment_accounts > coalesce(c.applied, 0)) as oldest
from journeys j left join cursors c on c.stream = 'bring-in:' || j.id
where j.state = 'live' and j.flow_at is null
union all
select 'admission', count(*), min(due_at) from admissions where due_at <= :at
union all
select 'dispatch', count(*), min(queued_at) from wakeups
union all
select 'delivery', count(*), min(until) from ledger
where queued is not null and state in ('held', 'deferred', 'claimed') and until <= :at
union all
select 'lists', count(*), min(queued_at) from list_questions
union all
select 'buying-groups', count(*), min(queued_at) from buying_group_questions;
