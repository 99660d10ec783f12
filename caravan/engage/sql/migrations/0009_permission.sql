-- Who may be written to: what is suppressed, what people have said and when, what reports of mail say, and
-- who has been erased.

-- Addresses, domains and telephone numbers that nothing is sent to, whoever bears them; a domain covers those
-- beneath it. As caravan/journeys/suppressing.py writes them, so that one look by key finds them.
create table suppressions (
  subject  text primary key,
  reason   text not null check (reason in ('hard_bounce', 'complaint', 'opt_out', 'blocked')),
  why      text,                       -- in words, of who asked for it or of the relay
  source   text not null,
  added_at timestamptz not null
);
create index suppressions_added on suppressions (added_at desc, subject);

-- What was taken off the list again, and why.
create table suppressions_removed (
  subject    text not null,
  reason     text not null,
  why        text not null,
  removed_at timestamptz not null
);
create index suppressions_removed_subject on suppressions_removed (subject);

-- What a person has said about being written to, each time it changed: who told us, and when it was said.
create table consents (
  id        bigint generated always as identity primary key,
  person_id bigint not null,
  field     text not null,             -- email_consent, sms_consent, unsubscribed …
  old       boolean,
  new       boolean,
  source    text not null,
  at        timestamptz not null
);
create index consents_person on consents (person_id, at);

-- Kept by the table itself, so that no way of writing a person can forget it. Whoever writes says by the setting
-- `caravan.source`, for its transaction, where it has it from; the Platform's word flowing down says nothing.
create function keep_consents() returns trigger language plpgsql as $$
begin
  insert into consents (person_id, field, old, new, source, at)
  select new.id, f.name, before.value, after.value,
         coalesce(nullif(current_setting('caravan.source', true), ''), 'platform'),
         coalesce((new.stamps ->> f.name)::timestamptz, now())
  from unnest(array['email_consent', 'sms_consent', 'unsubscribed', 'suspended', 'email_invalid']) as f (name),
       lateral (select case when tg_op = 'UPDATE' then old.attributes -> f.name = 'true' end) as before (value),
       lateral (select new.attributes -> f.name = 'true') as after (value)
  where before.value is distinct from after.value;
  return null;
end $$;
create trigger consents_at_first after insert on people for each row
  when (new.attributes ?| array['email_consent', 'sms_consent', 'unsubscribed', 'suspended', 'email_invalid'])
  execute function keep_consents();
create trigger consents_changed after update of attributes on people for each row
  when (new.attributes -> 'email_consent' is distinct from old.attributes -> 'email_consent'
     or new.attributes -> 'sms_consent' is distinct from old.attributes -> 'sms_consent'
     or new.attributes -> 'unsubscribed' is distinct from old.attributes -> 'unsubscribed'
     or new.attributes -> 'suspended' is distinct from old.attributes -> 'suspended'
     or new.attributes -> 'email_invalid' is distinct from old.attributes -> 'email_invalid')
  execute function keep_consents();

-- Reports about messages that were sent, each taken in once. `digest` is of the report and whom in it is told of.
create table mail_reports (
  digest    bytea primary key,
  message   bigint references ledger (id),
  person_id bigint not null,
  kind      text not null check (kind in ('hard', 'soft', 'complaint')),
  status    text,                      -- RFC 3463: 5.1.1
  told      text,                      -- the other side's words, without addresses
  at        timestamptz not null
);
create index mail_reports_person on mail_reports (person_id, at);
create index mail_reports_message on mail_reports (message);

-- Who was erased, by keyed hashes alone: nobody comes back by an import that does not know. `of`: what the hash is of.
create table erasures (
  hash      bytea not null,
  of        text not null check (of in ('person', 'email')),
  key_id    text not null,             -- which key it was made with
  person_id bigint not null,
  at        timestamptz not null,
  primary key (hash, of)
);
create index erasures_person on erasures (person_id);

-- An erased person is a row without anything in it, which keeps its number: what points to it stays whole, and
-- whatever still comes along for that number, from a page read a moment before, is not written.
alter table people add column erased_at timestamptz;
create function stays_erased() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger people_stay_erased before update on people for each row
  when (old.erased_at is not null) execute function stays_erased();
