-- Who was erased: the same as in the engage store (its migration of the same number), for imports ask here.
create table erasures (
  hash      bytea not null,
  of        text not null check (of in ('person', 'email')),
  key_id    text not null,
  person_id bigint not null,
  at        timestamptz not null,
  primary key (hash, of)
);
create index erasures_person on erasures (person_id);

-- An erased person is a row without anything in it, which keeps its number.
alter table people add column erased_at timestamptz;
create function stays_erased() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger people_stay_erased before update on people for each row
  when (old.erased_at is not null) execute function stays_erased();
