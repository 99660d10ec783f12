-- The audiences of benchmarks/audience_workspace asked by hand, as somebody would who knows the tables: joins and
-- semi-joins, each test once, no more than the question needs. They give the ids in order and packed into one value,
-- as ours do.

-- name: large_energy
select string_agg(int8send(a.id), ''::bytea order by a.id) from accounts a
where a.deleted_at is null and casefold(a.attributes ->> 'industry') = casefold('Energy')
  and (a.attributes ->> 'annual_revenue')::numeric >= 500000000;

-- name: renewing
select string_agg(int8send(a.id), ''::bytea order by a.id) from accounts a
where a.deleted_at is null and casefold(a.attributes ->> 'country') in (casefold('SE'), casefold('NO'))
  and (a.attributes ->> 'contract_end')::date between :at::timestamptz::date and (:at::timestamptz + interval '60 days')::date;

-- name: open_deals
select string_agg(int8send(a.id), ''::bytea order by a.id) from accounts a
where a.deleted_at is null and a.id in (
  select o.account_id from opportunities o
  where o.deleted_at is null and not (o.attributes ->> 'is_closed')::boolean
    and (o.attributes ->> 'amount')::numeric >= 500000);

-- name: executives_visited
select string_agg(int8send(a.id), ''::bytea order by a.id) from accounts a
where a.deleted_at is null and a.id in (
  select r.account_id from relations r join people p on p.id = r.person_id
  where r.deleted_at is null and p.deleted_at is null
    and (starts_with(casefold(p.attributes ->> 'job_title'), casefold('Chief'))
         or starts_with(casefold(p.attributes ->> 'job_title'), casefold('VP')))
    and p.id in (select e.person_id from activities e
                 where e.type = 'page_visited' and e.at between :at::timestamptz - interval '30 days' and :at));

-- name: gone_quiet
select string_agg(int8send(a.id), ''::bytea order by a.id) from accounts a
where a.deleted_at is null and casefold(a.attributes ->> 'industry') in (casefold('Energy'), casefold('Mining'))
  and not exists (
    select from activities e
    where e.account_id = a.id and e.type = 'page_visited' and e.at between :at::timestamptz - interval '90 days' and :at)
  and not exists (
    select from relations r join people p on p.id = r.person_id join activities e on e.person_id = p.id
    where r.account_id = a.id and r.deleted_at is null and p.deleted_at is null
      and e.type = 'page_visited' and e.at between :at::timestamptz - interval '90 days' and :at);

-- name: busy
select string_agg(int8send(a.id), ''::bytea order by a.id) from accounts a join (
  select d.account_id from (
    select e.account_id, e.id, coalesce(e.person_id, 0) as person_id from activities e
    where e.account_id is not null and e.type = 'form_filled' and e.at between :at::timestamptz - interval '60 days' and :at
    union
    select r.account_id, e.id, e.person_id
    from activities e join people p on p.id = e.person_id join relations r on r.person_id = p.id
    where r.deleted_at is null and p.deleted_at is null
      and e.type = 'form_filled' and e.at between :at::timestamptz - interval '60 days' and :at) d
  group by d.account_id having count(*) >= 2 and count(distinct d.person_id) >= 2) often on often.account_id = a.id
where a.deleted_at is null;

-- name: energy_buyers
select string_agg(int8send(p.id), ''::bytea order by p.id) from people p
where p.deleted_at is null and casefold(p.attributes ->> 'country') = casefold('SE')
  and strpos(casefold(p.attributes ->> 'job_title'), casefold('engineer')) > 0
  and exists (select from relations r join accounts a on a.id = r.account_id
              where r.person_id = p.id and r.deleted_at is null and a.deleted_at is null
                and exists (select from jsonb_array_elements_text(r.attributes -> 'roles') role (name)
                            where casefold(role.name) = casefold('buyer')))
  and exists (select from relations r join accounts a on a.id = r.account_id
              where r.person_id = p.id and r.deleted_at is null and a.deleted_at is null
                and casefold(a.attributes ->> 'industry') = casefold('Energy'));

-- name: worth_a_call
select string_agg(int8send(a.id), ''::bytea order by a.id) from accounts a
where a.deleted_at is null
  and a.id in (select o.account_id from opportunities o
               where o.deleted_at is null and not (o.attributes ->> 'is_closed')::boolean
                 and (o.attributes ->> 'amount')::numeric >= 500000)
  and (exists (select from relations r join people p on p.id = r.person_id
               where r.account_id = a.id and r.deleted_at is null and p.deleted_at is null
                 and (starts_with(casefold(p.attributes ->> 'job_title'), casefold('Chief'))
                      or starts_with(casefold(p.attributes ->> 'job_title'), casefold('VP')))
                 and exists (select from activities e
                             where e.person_id = p.id and e.type = 'page_visited'
                               and e.at between :at::timestamptz - interval '30 days' and :at))
       or (casefold(a.attributes ->> 'industry') = casefold('Energy')
           and (a.attributes ->> 'annual_revenue')::numeric >= 500000000))
  and not (casefold(a.attributes ->> 'industry') in (casefold('Energy'), casefold('Mining'))
           and not exists (
             select from activities e
             where e.account_id = a.id and e.type = 'page_visited' and e.at between :at::timestamptz - interval '90 days' and :at)
           and not exists (
             select from relations r join people p on p.id = r.person_id join activities e on e.person_id = p.id
             where r.account_id = a.id and r.deleted_at is null and p.deleted_at is null
               and e.type = 'page_visited' and e.at between :at::timestamptz - interval '90 days' and :at));
