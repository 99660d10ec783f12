-- A subscription may be without a sandbox, and knows its pair by a number that another Platform's pair of the
-- same names has not.
alter table pair alter column sandbox drop not null;
alter table pair add column pair_id uuid;

-- Nothing runs in a subscription that belongs to nobody; unpairing locks the row against it.
create function runs_in_a_pair() returns trigger language plpgsql as $$
begin
  perform from pair where sandbox is not null for key share;
  if not found then
    raise exception 'this subscription is paired with no sandbox: no journey runs in it';
  end if;
  return new;
end $$;
create trigger journeys_run_in_a_pair before insert or update of state on journeys for each row
  when (new.state in ('scheduled', 'live')) execute function runs_in_a_pair();
