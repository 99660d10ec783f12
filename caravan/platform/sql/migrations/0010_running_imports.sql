-- Imports of several files bring an account before its people: until all files are in, and have come down, the
-- accounts that are new enter no journey. An import holds an advisory lock of its id while it runs.
create table running_imports (
  id        bigint generated always as identity primary key,
  newer     bigint not null,   -- than this id: the accounts it may have brought
  ended_xid xid8               -- of the transaction that said it was over: all its files came before
);
