-- Messages that are no mail to a person: texts, and alerts to salespeople.

-- segments: how many messages of its network a text is. recipient: the address of an alert, whose person_id is
-- -1, -2 … for the first of its addresses, the second …; nobody of the store is behind it.
alter table ledger add column segments integer, add column recipient text;

-- People by the end of their mobile number, however it is written: whom a STOP is of.
create index people_mobile on people (right(regexp_replace(attributes ->> 'mobile_phone', '\D', '', 'g'), 7))
  where attributes ? 'mobile_phone';

-- Answers that came in, each taken once: a provider says again what it thinks nobody heard, and an old STOP must
-- not undo the START behind it.
create table texts_heard (
  sid      text primary key,           -- the provider's, of the message
  keyword  text not null check (keyword in ('stop', 'start')),
  heard_at timestamptz not null
);
