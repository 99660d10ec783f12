-- Accounts with a higher number may have come without their people yet: an import is under way. No row: all are whole.
create table newest_complete (
  account_id bigint not null
);
create unique index newest_complete_one on newest_complete ((true));
