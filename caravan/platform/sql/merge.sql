-- name: one_writer
-- Imports and the up-flow take turns, page by page: each compares what it brings with what is there
-- before it writes, and in between nobody else may.
select pg_advisory_xact_lock(hashtext(current_schema() || '.records'));

-- name: one_writer_in_turn
-- The same, of who waits for the others as long as they take, a rehearsal for minutes: the clock of the own
-- transaction is stopped (0), and begins anew when it is its turn.
select set_config('transaction_timeout', '0', true),
       pg_advisory_xact_lock(hashtext(current_schema() || '.records')),
       set_config('transaction_timeout', own.timeout, true)
from (select current_setting('transaction_timeout') as timeout offset 0) own;

-- name: merge_{table} for accounts, people, relations, opportunities
-- What the engage store changed, by field: the later as_of wins, the Platform itself on a tie. What it
-- took goes to its own outbox as `sync` (audiences look at it; it need not go down again), what it
-- kept as `verdict` (which does go down). A field set anew to the value it has takes the later stamp,
-- else a word from in between would win on one side only. `$deleted` is judged as a field and kept in its
-- column: the instant at which the record was deleted, or null where it was taken back.
-- One pass over the fields of each change: a function call per row would cost more than the write.
with incoming as materialized (
  select id, fields::jsonb as fields, as_of, stamp(as_of) as stamp
  from unnest(:ids::bigint[], :fields::text[], :as_ofs::timestamptz[]) as u (id, fields, as_of)
), judged as (
  select t.id, i.as_of, i.fields, f.*
  from incoming i join {table} t on t.id = i.id
  cross join lateral (
    select bool_and(e.later) as all_later,
           coalesce(bool_or(e.later and e.differs), false) as changes,
           coalesce(bool_or(not e.later and e.differs), false) as keeps,
           jsonb_object(array_agg(e.key) filter (where e.later), array_agg(i.stamp) filter (where e.later)) as stamps
    from (select key, coalesce(t.stamps ->> key < i.stamp, true) as later,
                 case key when '$deleted' then to_jsonb(stamp(t.deleted_at)) else t.attributes -> key end
                   is distinct from nullif(value, 'null') as differs
          from jsonb_each(i.fields)) e
  ) f
), won as (
  select j.id, j.as_of, j.stamps, j.changes,
         case when j.all_later then j.fields
              else (select jsonb_object_agg(e.key, e.value) from jsonb_each(j.fields) e where j.stamps ? e.key)
         end as fields
  from judged j where j.stamps is not null
), updated as (
  update {table} t
  set attributes = case when w.changes then jsonb_strip_nulls(t.attributes || (w.fields - '$deleted')) else t.attributes end,
      stamps = t.stamps || w.stamps,
      deleted_at = case when w.fields ? '$deleted' then (w.fields ->> '$deleted')::timestamptz else t.deleted_at end
  from won w where t.id = w.id
  returning t.id, w.fields, w.as_of, w.changes
), told as (  -- not of who was erased: their rows let nothing be written to them
  insert into changes (entity, id, fields, as_of, origin)
  select :entity, id, fields, as_of, 'sync' from updated where changes
)
insert into changes (entity, id, fields, as_of, origin)
select :entity, j.id, '{}', j.as_of, 'verdict' from judged j where j.keeps;
