-- What a message is and when a journey is paused, said once: which actions send, by which carrier, and where it goes.

-- The registry of actions (caravan/journeys/actions), as this store's queries need it: written anew by whoever brings
-- the schema up to date. A table and not a column of the ledger: nothing of millions of rows is written over, and
-- what a worker of the version before claims is a message all the same.
create table message_kinds (
  action  text primary key,
  carrier text not null check (carrier in ('mail', 'text'))
);
insert into message_kinds (action, carrier)
values ('send_email', 'mail'), ('send_sms', 'text'), ('send_sales_alert', 'mail');

-- The ledger's messages. address: an e-mail address, or of a text the number, as its person has it now; of what
-- goes to nobody's record the one it was written with.
create view messages as
select l.*, k.carrier, t.slug as journey, t.account_id, t.entry, q.external_id as person,
       coalesce(l.recipient, q.attributes ->> case k.carrier when 'text' then 'mobile_phone' else 'email' end) as address
from ledger l
join message_kinds k on k.action = l.action
join traversals t on t.id = l.traversal_id
left join people q on q.id = l.person_id;

-- Whether a journey is paused: the versions that run are, together, and what is still to be sent of one that has ended
-- waits for them.
create function journey_paused(of_slug text) returns boolean language sql stable as $$
  select exists (select from journeys where kind = 'journey' and slug = of_slug and paused_at is not null)
$$;
