-- Why a group is as engaged as it is: read in one snapshot (see caravan/buying_groups/explaining.py).

-- name: explained_group
select g.id, a.external_id as account, a.attributes ->> 'name' as name, g.solution_interest,
       g.completeness, g.engagement, g.scale_id, g.qualified_at, i.qualified
from buying_groups g join accounts a on a.id = g.account_id join solution_interests i on i.slug = g.solution_interest
where g.id = :group_id;

-- name: explained_members
-- `weight` is null for a role that the version of the template has no more.
select m.person_id, p.external_id as person, m.role, r.weight
from buying_group_members m join buying_groups g on g.id = m.group_id join people p on p.id = m.person_id
left join template_roles r on r.template_id = g.template_id and r.role = m.role
where m.group_id = :group_id and m.removed_at is null
order by r.priority nulls last, m.person_id;

-- name: explained_days
-- What members did on the days that count under the scale in force, of whatever is counted at all.
select d.person_id, d.type, d.day, d.count
from engagement_days d join buying_group_members m on m.person_id = d.person_id,
     (select * from engagement_scales order by id desc limit 1) s
where m.group_id = :group_id and m.removed_at is null
  and d.type = any(s.counted) and d.day between s.from_day and s.day + 1
order by d.person_id, d.day desc, d.type;
