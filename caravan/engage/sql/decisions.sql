-- name: decision_at
-- Locked: of two tries one at a time looks at it.
select id, claim, claimed_at, tries, facts, digest, model, path, confidence, reason from decisions
where traversal_id = :traversal_id and node = :node and visit = :visit for update;

-- name: claim_decision
-- Anew where whom it told of was erased before the model answered.
insert into decisions (traversal_id, node, visit, claimed_at, facts, people)
values (:traversal_id, :node, :visit, :at, :facts, :people::bigint[])
on conflict (traversal_id, node, visit) do update
set facts = excluded.facts, people = excluded.people, claim = decisions.claim + 1
returning id, claim, claimed_at, tries, facts, digest, model, path, confidence, reason;

-- name: begin_decision_try
-- The last word before the model is asked: as of a call (see begin_try). Counted before it is asked, for what is asked may
-- be what kills the process; `try`: the same try may ask for its word again. Of who was erased since the claim nobody is told.
with alive as (
  select t.id from traversals t join journeys j on j.id = t.journey_id and j.paused_at is null and j.state <> 'aborted'
  where t.id = :traversal_id and t.epoch = :epoch and t.ended_at is null
    and not exists (select from sending_halt) for share of t
)
update decisions d set tries = greatest(d.tries, :try)
from alive where d.traversal_id = alive.id and d.id = :id and d.edge is null and d.model is null
  and d.claim = :claim and d.facts is not null
returning d.id;

-- name: note_decision
-- What the model said; the first of two tries counts, and none to an older claim, which knows others as person 1, person 2 …
update decisions
set digest = :digest, model = :model, path = :path, confidence = :confidence,
    reason = case when facts is not null then :reason end  -- whom it may speak of may have been erased meanwhile
where id = :id and claim = :claim and model is null and edge is null
returning id;

-- name: decision_waits
update decisions set reason = :reason where id = :id and model is null and edge is null;

-- name: settle_decision
-- Also of what nobody was asked, which has no row yet.
insert into decisions (traversal_id, node, visit, claimed_at, path, reason, cause, edge, decided_at)
values (:traversal_id, :node, :visit, :at, :path, :reason, :cause, :edge, :at)
on conflict (traversal_id, node, visit) do update
set path = coalesce(decisions.path, excluded.path), reason = coalesce(excluded.reason, decisions.reason),
    cause = excluded.cause, edge = excluded.edge, decided_at = excluded.decided_at;

-- name: decisions_of_traversal
select d.id, d.node, d.visit, d.claimed_at, d.decided_at, d.tries, d.model, d.path, d.confidence, d.reason, d.cause, d.edge,
       d.digest, d.facts,
       (select jsonb_object_agg('person ' || p.place, q.external_id)
        from unnest(d.people) with ordinality as p (id, place) join people q on q.id = p.id and q.erased_at is null) as people
from decisions d where d.traversal_id = :traversal_id order by d.id;

-- name: decision_open
-- Whether the model is asked for this visit already: then it is finished first.
select id from decisions where traversal_id = :traversal_id and node = :node and visit = :visit and edge is null;

-- name: decision_account
-- What of an account a model may be told, beside its fields: its opportunities and buying groups.
select
  (select coalesce(jsonb_agg(o.attributes order by o.id), '[]') from opportunities o
   where o.account_id = :account_id and o.deleted_at is null) as opportunities,
  (select coalesce(jsonb_agg(jsonb_build_object(
      'solution_interest', g.solution_interest, 'stage', g.stage, 'completeness', round(g.completeness),
      'engagement', round(g.engagement), 'qualified', g.qualified_at is not null,
      'people', (select count(*) from buying_group_members m where m.group_id = g.id and m.removed_at is null))
      order by g.solution_interest), '[]')
   from buying_groups g where g.account_id = :account_id) as groups,
  (select count(*) from relations r join people p on p.id = r.person_id
   where r.account_id = :account_id and r.deleted_at is null and p.deleted_at is null) as people;

-- name: decision_people
-- The most engaged of the account, of equals who did something last.
select p.id, p.attributes, p.persona, r.attributes -> 'roles' as roles, round(coalesce(e.score, 0))::integer as engagement,
       (select jsonb_object_agg(s.score, s.value) from scores s where s.person_id = p.id) as scores,
       (select array_agg(distinct m.role order by m.role) from buying_group_members m join buying_groups g on g.id = m.group_id
        where m.person_id = p.id and g.account_id = r.account_id and m.removed_at is null) as group_roles,
       did.last_at
from relations r join people p on p.id = r.person_id
left join engagement_people e on e.person_id = p.id
left join lateral (
  select max(v.at) as last_at from activities v
  where v.person_id = p.id and v.type = any(:theirs::text[]) and v.at <= :as_of
    and v.fields -> 'bot' is distinct from 'true'::jsonb
) did on true
where r.account_id = :account_id and r.deleted_at is null and p.deleted_at is null
order by coalesce(e.score, 0) desc, did.last_at desc nulls last, p.id limit :limit;

-- name: decision_events
-- What happened of late, by whom (null: the account itself), of what type and about what; machines do not count.
with happened as (
  select null::bigint as person_id, v.type, v.at, v.fields from activities v
  where v.account_id = :account_id and v.person_id is null and v.at > :since and v.at <= :as_of
  union all
  select v.person_id, v.type, v.at, v.fields from relations r join activities v on v.person_id = r.person_id
  where r.account_id = :account_id and r.deleted_at is null and v.at > :since and v.at <= :as_of
    and (v.account_id is null or v.account_id = r.account_id)
)
select h.person_id, h.type, about.value as about,
       count(*) filter (where h.at > :as_of::timestamptz - interval '7 days') as week,
       count(*) filter (where h.at > :as_of::timestamptz - interval '30 days') as month,
       count(*) as quarter
from happened h
cross join lateral (select coalesce(h.fields ->> 'template', h.fields ->> 'form') as value) about
where h.fields -> 'bot' is distinct from 'true'::jsonb and h.type <> all(:untold::text[])
group by h.person_id, h.type, about.value
order by quarter desc, h.type, about.value nulls first, h.person_id nulls first;

-- name: decision_names
-- What the account's people and opportunities are called and reached by, so that it can be kept back.
select p.external_id, p.attributes from relations r join people p on p.id = r.person_id where r.account_id = :account_id
union all
select o.external_id, o.attributes from opportunities o where o.account_id = :account_id;

-- name: account_to_decide
select external_id, attributes from accounts where id = :account_id;
