-- name: failing_journeys
-- Running journeys more than one in `one_in` of whose messages have failed since, or could not be made of their data, of at least `fewest`. Asked
-- every few seconds: what has failed is read by the small index ledger_failed; only for a journey with enough
-- of it, what was accepted is counted (by ledger_accepted, or where the journey is small by its traversals), and
-- no further than it takes to see that the journey is well.
with failed as (
  select t.slug, j.watched_from, count(*) as failed, count(*) filter (where l.state = 'refused') as refused,
         count(*) filter (where l.state = 'in_doubt') as in_doubt, count(*) filter (where l.state = 'skipped') as unfit
  from ledger l join traversals t on t.id = l.traversal_id
  join lateral (
    select max(v.watched_from) as watched_from, count(*) filter (where v.paused_at is null) as running
    from journeys v where v.slug = t.slug and v.kind = 'journey' and v.state in ('scheduled', 'live', 'closed')
  ) j on j.running > 0
  where (l.state in ('refused', 'in_doubt') or (l.state = 'skipped' and l.reason = 'bad-value' and l.action like 'send\_%'))
    and l.settled_at > :since
    and (j.watched_from is null or l.settled_at > j.watched_from)
  group by t.slug, j.watched_from
  having count(*) * :one_in::int > :fewest::int
)
select f.slug, f.watched_from, f.refused, f.in_doubt, f.unfit, a.accepted
from failed f
cross join lateral (
  select count(*) as accepted
  from (select from ledger l join traversals t on t.id = l.traversal_id
        where l.state = 'accepted' and t.slug = f.slug and l.settled_at > greatest(:since::timestamptz, f.watched_from)
        limit f.failed * (:one_in::int - 1)) latest
) a
where a.accepted < f.failed * (:one_in::int - 1)
  and f.failed + a.accepted >= :fewest::int
order by f.slug;

-- name: stop_failing
-- Only as long as nobody has let it go on since the look.
update journeys set paused_at = :at, paused_by = 'failures', paused_why = :why
where kind = 'journey' and slug = :slug and state in ('scheduled', 'live', 'closed') and paused_at is null and deleted_at is null
  and (select max(v.watched_from) from journeys v
       where v.slug = journeys.slug and v.kind = 'journey' and v.state in ('scheduled', 'live', 'closed'))
      is not distinct from :watched_from::timestamptz
returning version;
