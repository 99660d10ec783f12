-- Activities that may be told to the Platform, in an order that skips none which commits late (as `changes` has it;
-- see caravan/database/outbox.py). Those of before count as long committed.
alter table activities add column xid xid8 not null default '0';
alter table activities alter column xid set default pg_current_xact_id();
-- `TOLD` in caravan/journeys/events.py: other activities pay nothing for it
create index activities_to_tell on activities (xid, id)
  where type in ('account_interesting_moment', 'interesting_moment', 'email_sent', 'email_delivered', 'email_opened',
                 'email_clicked', 'email_bounced', 'email_unsubscribed', 'sms_clicked', 'sms_bounced');
