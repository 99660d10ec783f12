-- name: reported_message
-- The message a report is about, by the number of its return path or by its Message-ID. `unchanged`: its person
-- has the address now that it was sent to, so what is said of that address is said of theirs; an alert's row has it.
select m.id, m.message_id, m.person_id, m.template, m.node, m.journey, m.person, m.address as email,
       m.recipient is not null as alert, coalesce(p.stamps ->> 'email' <= stamp(m.claimed_at), true) as unchanged,
       p.erased_at is not null as erased
from messages m left join people p on p.id = m.person_id
where m.carrier = 'mail' and (m.id = :number::bigint or m.message_id = :message_id::text)
order by m.id is distinct from :number::bigint limit 1;

-- name: note_report
-- Nothing comes back where it was taken in before.
insert into mail_reports (digest, message, person_id, kind, status, told, at)
values (:digest, :message, :person_id, :kind, :status, :told, :at)
on conflict (digest) do nothing
returning message;

-- name: mail_reports
-- Newest first, with how many of its kind there are of the person; of an alert, which is to nobody's record, about itself.
select r.at, r.kind, r.status, r.told, p.external_id as person, coalesce(l.recipient, p.attributes ->> 'email') as email, l.template,
       t.slug as journey, l.message_id,
       (select count(*) from mail_reports k where k.person_id = r.person_id and k.kind = r.kind
          and (r.person_id > 0 or k.message = r.message)) as of_kind
from mail_reports r left join people p on p.id = r.person_id left join ledger l on l.id = r.message
left join traversals t on t.id = l.traversal_id
where (:kind::text is null or r.kind = :kind) and (:person_id::bigint is null or r.person_id = :person_id)
order by r.at desc, r.digest limit :limit;
