-- A made-up sandbox of any size, written by set-based statements: numbers decide everything, so two
-- runs have the same. Accounts have the ids 1 to :accounts, people the ids behind them.

-- name: populate_accounts
insert into accounts (id, external_id, attributes, stamps)
select n, 'account-' || n, a.attributes, (select stamps_of('{"name": 0, "industry": 0, "annual_revenue": 0, "employees": 0, "city": 0, "country": 0, "domain": 0, "contract_end": 0}', stamp(:at)))
from generate_series(1, :accounts::bigint) n
cross join lateral (select jsonb_build_object(
    'name', 'Power ' || n,
    'industry', (array['Energy', 'Retail', 'Mining', 'Software', 'Health', 'Transport', 'Banking', 'Farming'])[1 + (hashint8(n) & 7)],
    'annual_revenue', 1000000 * (hashint8(n + 7) & 1023),
    'employees', 10 + (hashint8(n + 11) & 8191),
    'city', (array['Stockholm', 'Hamburg', 'Gdansk', 'Oslo', 'Tallinn', 'Turku', 'Gent', 'Graz'])[1 + (hashint8(n + 13) & 7)],
    'country', (array['SE', 'DE', 'PL', 'NO'])[1 + (hashint8(n + 17) & 3)],
    'domain', 'power-' || n || '.example',
    'contract_end', (:at::timestamptz)::date - 400 + (hashint8(n + 19) & 1023)) as attributes) a;

-- name: populate_people
-- Five of each account; one in fifty belongs to the next account too.
insert into people (id, external_id, attributes, stamps)
select :accounts::bigint + n, 'person-' || n, p.attributes, (select stamps_of('{"email": 0, "first_name": 0, "last_name": 0, "job_title": 0, "city": 0, "country": 0, "unsubscribed": 0}', stamp(:at)))
from generate_series(1, :accounts::bigint * 5) n
cross join lateral (select jsonb_build_object(
    'email', 'person.' || n || '@power-' || (n + 4) / 5 || '.example',
    'first_name', (array['Anna', 'Karl', 'Mira', 'Jonas', 'Lea', 'Ivar', 'Nora', 'Olga'])[1 + (hashint8(n) & 7)],
    'last_name', 'Berg ' || n,
    'job_title', (array['Chief Operating Officer', 'VP Engineering', 'Grid Planner', 'Asset Manager', 'Field Engineer',
                        'Buyer', 'Plant Manager', 'Analyst', 'Chief Financial Officer', 'Technician', 'Lawyer',
                        'Team Lead', 'Electrician', 'Clerk', 'Architect', 'Nurse'])[1 + (hashint8(n + 23) & 15)],
    'city', (array['Stockholm', 'Hamburg', 'Gdansk', 'Oslo', 'Tallinn', 'Turku', 'Gent', 'Graz'])[1 + (hashint8(n + 29) & 7)],
    'country', (array['SE', 'DE', 'PL', 'NO'])[1 + (hashint8(n + 31) & 3)],
    'unsubscribed', (hashint8(n + 37) & 15) = 0) as attributes) p;

-- name: populate_relations
insert into relations (id, account_id, person_id, attributes)
select nextval('record_ids'), (n + 4) / 5, :accounts::bigint + n,
       jsonb_build_object('roles', jsonb_build_array((array['buyer', 'user', 'decision-maker', 'champion'])[1 + (hashint8(n + 41) & 3)]))
from generate_series(1, :accounts::bigint * 5) n
union all
select nextval('record_ids'), (n + 4) / 5 % :accounts::bigint + 1, :accounts::bigint + n, '{}'
from generate_series(50, :accounts::bigint * 5, 50) n;

-- name: populate_opportunities
-- Three for ten accounts.
insert into opportunities (id, external_id, account_id, attributes)
select nextval('record_ids'), 'opportunity-' || n, 1 + (hashint8(n + 43) & 2147483647) % :accounts::bigint, jsonb_build_object(
    'name', 'Deal ' || n,
    'stage', (array['prospect', 'proposal', 'negotiation', 'closed'])[1 + (hashint8(n + 47) & 3)],
    'amount', 1000 * (hashint8(n + 53) & 1023),
    'is_closed', (hashint8(n + 47) & 3) = 3)
from generate_series(1, :accounts::bigint * 3 / 10) n;

-- name: populate_activities
-- Three for five people, over the last 120 days.
insert into activities (external_id, type, at, person_id, fields)
select 'event-' || n, (array['page_visited', 'form_filled', 'event_attended', 'page_visited'])[1 + (hashint8(n + 59) & 3)],
       :at::timestamptz - interval '1 second' * ((hashint8(n + 61) & 2147483647) % 10368000),
       :accounts::bigint + 1 + (hashint8(n + 67) & 2147483647) % (:accounts::bigint * 5),
       jsonb_build_object('url', 'https://us.example/page/' || (hashint8(n + 71) & 63), 'form', 'form-' || (hashint8(n + 73) & 7))
from generate_series(1, :accounts::bigint * 3) n;
