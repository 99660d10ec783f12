-- What this store holds of a person: `personal_…` gives the rows as they are, `erase_…` says what becomes of them and
-- counts. caravan/campaigns/personal_data.py lists them; a test holds that no table with people in it is missing.

-- name: personal_{table} for consents, mail_reports, scores, engagement_days, engagement_people, buying_group_members, participants, ledger, calls, listeners, relations, activities
select to_jsonb(t) as held from {table} t where t.person_id = any(:person_ids::bigint[]) order by to_jsonb(t)::text;

-- name: personal_decisions
-- What a model was told of their accounts when it knew them as one of its people.
select to_jsonb(t) as held from decisions t where t.people && :person_ids::bigint[] order by to_jsonb(t)::text;

-- name: personal_mailed_addresses
select to_jsonb(t) as held from mailed_addresses t
where t.person_id = any(:person_ids::bigint[]) or t.address = any(:folded::text[]) order by to_jsonb(t)::text;

-- name: personal_limit_counts
select to_jsonb(t) as held from limit_counts t join limit_rules r on r.id = t.rule_id
where r.per = 'person' and t.subject_id = any(:person_ids::bigint[]) order by to_jsonb(t)::text;

-- name: personal_limit_slots
select to_jsonb(t) as held from limit_slots t join limit_rules r on r.id = t.rule_id
where r.per = 'person' and t.subject_id = any(:person_ids::bigint[]) order by to_jsonb(t)::text;

-- name: personal_people
select to_jsonb(t) as held from people t where t.id = any(:person_ids::bigint[]) and t.erased_at is null;

-- name: personal_{table} for list_members, list_flips, list_questions
select to_jsonb(t) as held from {table} t
where t.of = 'people' and t.subject_id = any(:person_ids::bigint[]) order by to_jsonb(t)::text;

-- name: personal_list_named
select to_jsonb(t) as held from list_named t
where t.of = 'people' and t.external_id = any(:external_ids::text[]) order by to_jsonb(t)::text;

-- name: personal_audience_members
select to_jsonb(t) as held from audience_members t join audience_copies c on c.audience = t.audience and c.of = 'people'
where t.subject_id = any(:person_ids::bigint[]) order by t.audience;

-- name: personal_changes
select to_jsonb(t) as held from changes t
where (t.entity = 'person' and t.id = any(:person_ids::bigint[]))
   or (t.entity = 'relation' and t.id in (select id from relations where person_id = any(:person_ids::bigint[])))
order by t.epoch, t.xid, t.seq;

-- name: personal_{table} for suppressions, suppressions_removed
select to_jsonb(t) as held from {table} t where t.subject = any(:subjects::text[]) order by to_jsonb(t)::text;

-- name: people_by_ids
select id, external_id, attributes from people where id = any(:ids::bigint[]) and erased_at is null;

-- name: hold_accounts_of
-- As a stretch holds its account, which who claims a message is: what it claims is seen here, or it sees nobody.
select id from accounts where id in (select account_id from relations where person_id = any(:person_ids::bigint[]))
order by id for no key update;

-- name: lock_person_to_erase
-- After the accounts, as everybody does; also whose row this store has not.
select id from people where id = any(:person_ids::bigint[]) order by id for update;

-- name: leave_a_tombstone
-- For who never came here too: a page of the Platform's changes that was read before may still bring them.
insert into people (id, external_id, deleted_at, erased_at)
select p.id, 'erased-' || p.id, :at::timestamptz, :at::timestamptz from unnest(:person_ids::bigint[]) as p (id) order by p.id
on conflict (id) do update
set external_id = excluded.external_id, attributes = '{}', stamps = '{}', persona = null, deleted_at = excluded.deleted_at,
    erased_at = excluded.erased_at
where people.erased_at is null
returning id;

-- name: erase_{table} for consents, scores, engagement_days, engagement_people, buying_group_members
delete from {table} where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_mailed_addresses
delete from mailed_addresses where person_id = any(:person_ids::bigint[]) or address = any(:folded::text[]) returning 1;

-- name: erase_{table} for list_members, list_flips, list_questions
delete from {table} where of = 'people' and subject_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_list_named
delete from list_named where of = 'people' and external_id = any(:external_ids::text[]) returning 1;

-- name: erase_audience_members
delete from audience_members t using audience_copies c
where c.audience = t.audience and c.of = 'people' and t.subject_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_{table} for suppressions, suppressions_removed
delete from {table} where subject = any(:subjects::text[]) returning 1;

-- name: erase_relations
-- Their roles go, and who was related to whom stays a number related to a number.
update relations set attributes = '{}', stamps = '{}', deleted_at = coalesce(deleted_at, :at)
where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_activities
-- That something of this type happened then, to a number. An id of ours (of a message that was sent) stays, so
-- that it is not recorded twice; one from outside may say anything.
update activities
set fields = '{}', external_id = case when external_id ~ '^[a-z]+:<[0-9a-f]{40}@[A-Za-z0-9.-]+>$' then external_id end
where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_ledger
-- The rows stay, for the counts of journeys; a relay's words go.
update ledger set reply = null where person_id = any(:person_ids::bigint[]) returning 1;

-- name: withdraw_messages
-- What has not left does not leave any more: whoever has it in hand asks the ledger before its last word.
update ledger set state = 'skipped', reason = 'no-address', reply = null, settled_at = :at
where person_id = any(:person_ids::bigint[]) and state in ('claimed', 'held', 'deferred')
returning id;

-- name: rewrite_alerts
-- What goes to nobody's record but tells of their accounts (sales alerts) may be written already, with them in it:
-- whoever has one in hand hands it over no more, and the queue writes it anew.
update ledger l set state = case when l.tries > 0 then 'deferred' else coalesce(l.queued, 'deferred') end,
       queued = coalesce(l.queued, 'deferred'), claimant = null, until = :at
from traversals t
where t.id = l.traversal_id and l.recipient is not null and l.state = 'claimed'
  and t.account_id in (select account_id from relations where person_id = any(:person_ids::bigint[]));

-- name: withdraw_last_words
-- What has its last word and has not begun to leave has to ask again, and is refused; what has begun leaves, and is
-- settled by the other side's answer. To the person, or about their accounts to nobody's record.
update ledger l set reason = 'erased'
from traversals t
where t.id = l.traversal_id and l.state = 'handed_over'
  and (l.person_id = any(:person_ids::bigint[]) or (l.recipient is not null
       and t.account_id in (select account_id from relations where person_id = any(:person_ids::bigint[]))));

-- name: erase_participants
update participants set because = '{}' where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_calls
update calls set answer = null, reply = null where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_decisions
-- That it was decided stays, and how sure the model was; what it was told of them and said of them goes. One that is
-- not decided yet is told anew.
update decisions set facts = null, reason = null, people = '{}' where people && :person_ids::bigint[] returning 1;

-- name: erase_mail_reports
update mail_reports set told = null where person_id = any(:person_ids::bigint[]) returning 1;

-- name: erase_changes
-- What is still to go up carries nothing any more.
update changes set fields = '{}'
where (entity = 'person' and id = any(:person_ids::bigint[]))
   or (entity = 'relation' and id in (select id from relations where person_id = any(:person_ids::bigint[])))
returning 1;

-- name: groups_to_leave
select group_id from buying_group_members where person_id = any(:person_ids::bigint[]) order by group_id;

-- name: lock_groups_to_leave
select id from buying_groups where id = any(:ids::bigint[]) order by id for no key update;

-- name: others_at
select external_id from people
where casefold(attributes ->> 'email') = any(:folded::text[]) and id <> all(:person_ids::bigint[]) and erased_at is null;

-- name: phones_of_others
-- Whole numbers are compared by who asks, for they are written in many ways.
select distinct n.number from people p cross join lateral (values (p.attributes ->> 'mobile_phone'), (p.attributes ->> 'phone')) n (number)
where right(regexp_replace(n.number, '\D', '', 'g'), 7) = any(:ends::text[]) and p.id <> all(:person_ids::bigint[]) and p.erased_at is null;
