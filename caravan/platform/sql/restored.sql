-- name: highest_of_{table} for accounts, people, relations, opportunities
-- Asked of the engage store: the numbers are the pair's.
select coalesce(max(id), 0) from {table};

-- name: number_above
-- Numbers the Platform has given and forgotten, for what it gave them to was restored away, are not given again.
select setval('record_ids', greatest(:highest::bigint, (select last_value from record_ids), 1));
