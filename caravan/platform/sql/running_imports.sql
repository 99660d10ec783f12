-- name: begin_import
insert into running_imports (newer)
select case when is_called then last_value else last_value - 1 end from record_ids
returning id;

-- name: hold_import
-- Of the session: it ends with the process that imports, however that ends.
select pg_advisory_lock(hashtext(current_schema() || '.running_imports'), :id::int);

-- name: end_import
update running_imports set ended_xid = pg_current_xact_id() where id = :id;

-- name: release_import
select pg_advisory_unlock(hashtext(current_schema() || '.running_imports'), :id::int);

-- name: end_dead_imports
-- Those whose process is gone.
update running_imports r set ended_xid = pg_current_xact_id()
where r.ended_xid is null and not exists (
  select from pg_locks l
  where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.objid = r.id::int
    and l.classid = (hashtext(current_schema() || '.running_imports')::bigint & 4294967295)::oid
    and l.database = (select oid from pg_database where datname = current_database()));

-- name: any_imports
select exists (select from running_imports);

-- name: ended_imports
-- Whose last word every reader of the outbox that reads from now on can see.
select id from running_imports where ended_xid < pg_snapshot_xmin(pg_current_snapshot());

-- name: forget_imports
delete from running_imports where id = any(:ids::bigint[]);

-- name: newest_complete
select min(newer) from running_imports where id <> all(:over::bigint[]);
