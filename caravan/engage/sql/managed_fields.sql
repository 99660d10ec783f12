-- name: versions_that_use_fields
-- Versions that somebody may still enter or is inside of.
select slug, version, plan_hash, case when paused_at is null then state else 'paused' end as state
from journeys j
where kind = 'journey' and deleted_at is null
  and (state in ('scheduled', 'live')
       or (state = 'closed' and exists (select from traversals t where t.journey_id = j.id and t.ended_at is null)))
order by slug, version;
