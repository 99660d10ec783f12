-- name: hear_text
-- Whether it is new.
insert into texts_heard (sid, keyword, heard_at) values (:sid, :keyword, :at)
on conflict (sid) do nothing returning true;

-- name: people_with_mobile
-- Who may have a number, by its last digits (people_mobile): numbers are written in many ways, so whoever asks
-- compares them whole.
select p.id, p.attributes ->> 'mobile_phone' as mobile_phone from people p
where p.attributes ? 'mobile_phone' and p.deleted_at is null
  and right(regexp_replace(p.attributes ->> 'mobile_phone', '\D', '', 'g'), 7) = right(:digits, 7)
order by p.id;

-- name: opt_phone_in
-- A number that answered STOP is free again; one that is suppressed for a graver reason stays so.
delete from suppressions where subject = :phone and reason = 'opt_out';

-- name: text_followed
-- The text that a callback names, with what its activities say.
select message_id, person_id, node, journey
from messages where id = :number and message_id is not null and carrier = 'text';

-- name: lock_text
-- How it stands, and goes on to stand until we have said what became of it.
select state from ledger where id = :number for no key update;

-- name: phone_of_person
select attributes ->> 'mobile_phone' from people where id = :person_id;
