-- name: try_to_keep_indexes
select pg_try_advisory_lock(hashtext(current_schema() || '.field_indexes'));

-- name: leave_indexes
select pg_advisory_unlock(hashtext(current_schema() || '.field_indexes'));

-- name: field_indexes
select c.relname as name, i.indisvalid as valid
from pg_index i join pg_class c on c.oid = i.indexrelid
where c.relnamespace = current_schema()::regnamespace and c.relname like 'field\_%';
