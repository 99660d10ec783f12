-- name: one_makes_the_template
-- Held until the_template_is_made: no transaction may be open where a database is created.
select pg_advisory_lock(hashtext('simulation-template'));

-- name: the_template_is_made
select pg_advisory_unlock(hashtext('simulation-template'));

-- name: is_a_database
select exists (select from pg_database where datname = :name::text);

-- name: databases_of_ours
select datname::text as name from pg_database where starts_with(datname::text, :prefix::text) order by datname;
