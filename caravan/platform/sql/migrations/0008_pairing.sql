-- A sandbox that has data may be paired with a subscription that has some, and takes the subscription's numbers
-- then (docs/decisions/0023-pairing.md): whoever is renumbered keeps what points to them, in one transaction.
alter table relations alter constraint relations_account_id_fkey deferrable initially immediate;
alter table relations alter constraint relations_person_id_fkey deferrable initially immediate;
alter table opportunities alter constraint opportunities_account_id_fkey deferrable initially immediate;

-- An erased person may get another number, and nothing else.
drop trigger people_stay_erased on people;
create trigger people_stay_erased before update on people for each row
  when (old.erased_at is not null and new.id = old.id) execute function stays_erased();

