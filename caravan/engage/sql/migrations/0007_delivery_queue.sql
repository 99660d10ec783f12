-- Messages that are sent later than the account stood at their node: held until an hour that suits the
-- person, or deferred by the relay.

-- journey_id: the version a message is written by, whose plan and copy it keeps though the account may have
-- moved. queued: as what its node left it to the delivery queue, which alone touches it from then on; null: it is
-- the node's. tries: how often the relay has put it off. While the queue has it `claimed` or `handed_over`,
-- `until` is the end of the lease.
alter table ledger
  add column journey_id bigint,
  add column queued     text check (queued in ('held', 'deferred')),
  add column tries      integer not null default 0;

-- What was put off before there was a queue is its first work.
update ledger l set journey_id = t.journey_id, queued = l.state, tries = (l.state = 'deferred')::int
from traversals t where t.id = l.traversal_id and l.state in ('held', 'deferred');

create index ledger_queued on ledger (journey_id, until)
  where queued is not null and state in ('held', 'deferred', 'claimed', 'handed_over');

-- What a person said of a message in doubt. Kept, for it may be asked again.
create table delivery_resolutions (
  id          bigint generated always as identity primary key,
  message     bigint not null references ledger (id),
  said        text not null check (said in ('sent', 'not-sent', 'resend')),
  who         text not null,
  resolved_at timestamptz not null
);
create index delivery_resolutions_message on delivery_resolutions (message);
