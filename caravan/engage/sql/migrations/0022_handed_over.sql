-- When a message was handed over, and messages that could not be made among those that failed.

-- From then on it may have been read, whenever the relay says that it has it. Null for those before this column.
alter table ledger add column handed_over_at timestamptz;

drop index ledger_failed;
create index ledger_failed on ledger (settled_at)
  where state in ('refused', 'in_doubt') or (state = 'skipped' and reason = 'bad-value' and action like 'send\_%');
