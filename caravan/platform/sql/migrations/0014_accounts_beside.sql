-- Where an audience of accounts asks for an audience of people inside `people`, what happened to other accounts of the
-- same people was looked at by nobody: everybody is looked at once more, as after an edit.
insert into changes (entity, id, as_of, origin)
select 'account', id, now(), 'time' from accounts
where deleted_at is null
  and exists (select from audiences a
              where a.of = 'accounts' and jsonb_path_exists(a.condition, '$.** ? (@.kind == "people").** ? (@.kind == "audience")'))
order by id;
