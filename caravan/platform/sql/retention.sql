-- name: words_in_audiences
select distinct w.value #>> '{}' as word
from audiences, jsonb_path_query(condition, '$.** ? (@.type() == "string")') as w (value);

-- name: forget_events
with old as (
  select id from activities where at < :before and not type = any(:kept::text[])
  order by id limit :limit for update skip locked
)
delete from activities a using old where a.id = old.id returning 1;
