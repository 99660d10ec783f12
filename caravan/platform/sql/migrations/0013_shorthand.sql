-- What people.csv says of a relation, by its account_id and roles, is kept apart from what relations.csv says of it: each
-- is compared with its own last word (`["account", "person", "people.csv"]`, and `["account", "person"]`). Until now
-- both were one row; where it is the person's, by its digest, it is what people.csv said last.
insert into source_rows (entity, external_id, source, digest, cells, as_of, stamps)
select r.entity, left(r.external_id, -1) || ', "people.csv"]', r.source, r.digest, r.cells, r.as_of, r.stamps
from source_rows r
where r.entity = 'relations' and exists (
  select from source_rows p
  where p.entity = 'people' and p.external_id = r.external_id::jsonb ->> 1 and p.source = r.source and p.digest = r.digest
);
