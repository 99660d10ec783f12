-- name: say_source
select set_config('caravan.source', :source, true);

-- name: consents_of_person
select field, old, new, source, at from consents where person_id = :person_id order by at, id;
