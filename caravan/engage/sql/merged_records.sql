-- name: merged_{table} for accounts, people
-- Who stands for these, as this store has it; locked behind what was asked for before.
select id, merged_into from {table} where id = any(:ids::bigint[]);

-- name: hand_on_activities_of_accounts
update activities v set account_id = coalesce(a.merged_into, a.id), own_account_id = case when a.merged_into is not null then a.id end
from accounts a
where a.id = any(:ids::bigint[]) and (v.account_id = a.id and v.own_account_id is null or v.own_account_id = a.id)
  and v.account_id <> coalesce(a.merged_into, a.id);

-- name: hand_on_activities_of_people
update activities v set person_id = coalesce(p.merged_into, p.id), own_person_id = case when p.merged_into is not null then p.id end
from people p
where p.id = any(:ids::bigint[]) and (v.person_id = p.id and v.own_person_id is null or v.own_person_id = p.id)
  and v.person_id <> coalesce(p.merged_into, p.id);

-- name: hand_on_places_in_lists
-- Static lists alone: a dynamic one is asked again about whom they have become.
insert into list_members (of, list, subject_id, qualified_at)
select m.of, m.list, w.survivor_id, min(m.qualified_at)
from unnest(:ids::bigint[], :survivor_ids::bigint[]) as w (id, survivor_id)
join list_members m on m.of = :of and m.subject_id = w.id
join lists l on l.of = m.of and l.slug = m.list and l.condition is null
group by m.of, m.list, w.survivor_id order by m.list, w.survivor_id
on conflict do nothing;

-- name: hand_on_entries
-- Who has been in a journey under any of its records has been in it: nobody is welcomed twice.
insert into entries as e (slug, account_id, count, last_entered_at, last_ended_at)
select e.slug, w.survivor_id, sum(e.count), max(e.last_entered_at), max(e.last_ended_at)
from unnest(:ids::bigint[], :survivor_ids::bigint[]) as w (id, survivor_id)
join entries e on e.account_id = w.id
group by e.slug, w.survivor_id order by e.slug, w.survivor_id
on conflict (slug, account_id) do update
  set count = e.count + excluded.count, last_entered_at = greatest(e.last_entered_at, excluded.last_entered_at),
      last_ended_at = greatest(e.last_ended_at, excluded.last_ended_at);
