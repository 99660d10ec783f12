-- name: record_events
-- An event is recorded once by its id; what came again is not news. Written in order of those ids, so that two
-- senders of the same events take turns and never stand in each other's way; numbered in the order they
-- were said in, which decides between events of one instant. One of a record that another stands for is that one's,
-- and remembers whose it was.
with numbered as materialized (
  select i.*, nextval('activities_id_seq') as id
  from (select * from unnest(:external_ids::text[], :types::text[], :ats::timestamptz[], :accounts::text[],
                             :people::text[], :fields::jsonb[])
          with ordinality as i (external_id, type, at, account, person, fields, place)
        order by place) i
), incoming as (
  select n.*, coalesce(a.merged_into, a.id) as account_id, coalesce(p.merged_into, p.id) as person_id,
         case when a.merged_into is not null then a.id end as own_account_id,
         case when p.merged_into is not null then p.id end as own_person_id
  from numbered n
  left join accounts a on a.external_id = n.account
  left join people p on p.external_id = n.person
), inserted as (
  insert into activities (id, external_id, type, at, account_id, person_id, fields, own_account_id, own_person_id)
    overriding system value
  select id, external_id, type, at, account_id, person_id, fields, own_account_id, own_person_id from incoming order by external_id, id
  on conflict (external_id) do nothing
  returning id, external_id
), changed as (
  insert into changes (entity, id, as_of, origin) select 'activity', id, :at, 'import' from inserted order by id
)
select external_id from inserted;
