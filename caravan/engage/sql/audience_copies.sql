-- name: name_audiences
-- The audiences that conditions of a journey version name.
insert into audience_uses (journey_id, audience) select :journey_id, unnest(:audiences::text[])
on conflict do nothing;

-- name: unname_audiences
delete from audience_uses where journey_id = :journey_id;

-- name: audiences_in_use
-- Those that conditions of journeys, of lists and of roles templates name, and those of jobs.
select u.audience, c.of
from (select a.audience from audience_uses a join journeys j on j.id = a.journey_id
      where j.state in ('scheduled', 'live', 'closed')
      union select unnest(audiences) from lists
      union select audience from buying_group_jobs where deleted_at is null
      union select jsonb_path_query(t.body, '$.** ? (@.kind == "audience").audience') #>> '{}'
            from solution_interests i
            cross join lateral (select body from roles_templates where slug = i.roles_template
                                order by version desc limit 1) t
            where i.slug in (select solution_interest from buying_group_jobs where deleted_at is null)) u
left join audience_copies c on c.audience = u.audience order by u.audience;

-- name: forget_audiences
-- No condition names them any more: nobody keeps their members up to date from now on.
with gone as (
  delete from audience_members where audience in (select audience from audience_copies where not audience = any(:used::text[]))
)
delete from audience_copies where not audience = any(:used::text[]);

-- name: allow_minutes
-- While the Platform evaluates an audience as a whole, whoever waits for it may hold the stream's cursor for longer
-- than a page takes. By 0 the clock that is running is stopped: another limit would not move it.
select set_config('transaction_timeout', '0', true), set_config('transaction_timeout', '30min', true);

-- name: begin_copy
insert into audience_copies (audience, of) values (:audience, :of) on conflict do nothing;

-- name: copy_members
-- Only those the store holds; whoever comes in later brings their memberships along. A role may ask for an
-- audience of people, so the groups of their accounts are to be looked at.
with joined as (
  insert into audience_members (audience, subject_id)
  select :audience::text, s.id from unnest(:subject_ids::bigint[]) as s (id)
  where exists (select from accounts a where a.id = s.id) or exists (select from people p where p.id = s.id)
  on conflict do nothing returning subject_id
), questioned_groups as (
  insert into buying_group_questions (account_id)
  select distinct r.account_id from joined j join relations r on r.person_id = j.subject_id and r.deleted_at is null
  where :of::text = 'people' and exists (select from buying_group_jobs where deleted_at is null)
  order by 1
)
insert into list_questions (of, subject_id)
select :of::text, subject_id from joined where exists (select from lists where condition is not null);

-- name: renew_members
-- What the Platform says of these subjects now.
with said as (
  select * from unnest(:audiences::text[], :subject_ids::bigint[]) as s (audience, id)
), removed as (
  delete from audience_members m
  where m.subject_id = any(:looked_at::bigint[])
    and not exists (select from said where said.audience = m.audience and said.id = m.subject_id)
  returning m.subject_id
), joined as (
  insert into audience_members (audience, subject_id)
  select s.audience, s.id from said s
  where exists (select from accounts a where a.id = s.id) or exists (select from people p where p.id = s.id)
  on conflict do nothing returning subject_id
), changed as (
  select c.subject_id, exists (select from accounts a where a.id = c.subject_id) as is_account
  from (select subject_id from removed union select subject_id from joined) c
), questioned as (
  insert into list_questions (of, subject_id)
  select case when is_account then 'accounts' else 'people' end, subject_id
  from changed where exists (select from lists where condition is not null)
)
select subject_id, is_account from changed;

-- name: audience_users
-- Whoever uses audiences, and whether that keeps them up to date by now.
select j.audience, 'journey' as what, j.slug as name, bool_or(j.state = 'live') as keeps
from journeys j where j.kind = 'journey' and not j.of_list and j.state in ('scheduled', 'live') group by 1, 3
union select u.audience, 'journey', j.slug, true
from audience_uses u join journeys j on j.id = u.journey_id where j.state in ('scheduled', 'live', 'closed')
union select unnest(audiences), case of when 'accounts' then 'account_list' else 'people_list' end, slug, true from lists
union select audience, 'buying_groups', slug, true from buying_group_jobs where deleted_at is null
union select jsonb_path_query(t.body, '$.** ? (@.kind == "audience").audience') #>> '{}', 'roles_template', i.roles_template, true
      from solution_interests i
      cross join lateral (select body from roles_templates where slug = i.roles_template
                          order by version desc limit 1) t
      where i.slug in (select solution_interest from buying_group_jobs where deleted_at is null)
order by 1, 2, 3;
