-- A number for each effect, by which what leaves the system (a tracked link, a return path) can name it
-- and nobody outside can tell whom it is of.
alter table ledger add column id bigint generated always as identity unique;
