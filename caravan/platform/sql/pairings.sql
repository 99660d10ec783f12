-- Which sandbox belongs to which subscription: one table of the Platform database, beside the schemas.

-- name: create_pairings
-- The unique indexes decide between rivals; names that differ in their case alone would share a schema. A
-- pair is ready from when its subscription is bound and loaded up; who wrote a row without saying is ready.
create table if not exists public.pairings (
  sandbox    text primary key,
  munchkin   text not null unique,
  created_at timestamptz not null default now()
);
alter table public.pairings
  add column pair_id  uuid not null default gen_random_uuid(),
  add column ready_at timestamptz default now();
create unique index pairings_sandbox_schema on public.pairings (lower(sandbox));
create unique index pairings_munchkin_schema on public.pairings (lower(munchkin));

-- name: pairings_are_there
select exists (select from pg_attribute
               where attrelid = to_regclass('public.pairings') and attname = 'ready_at' and not attisdropped);

-- name: take_turns_at_pairings
select pg_advisory_xact_lock(hashtext('caravan.pairings'));

-- name: claim_pair
insert into public.pairings (sandbox, munchkin, ready_at) values (:sandbox, :munchkin, null)
on conflict do nothing returning pair_id;

-- name: pair_of
-- The rows that a pair of these names would meet: its own, or those that have one of the two.
select sandbox, munchkin, pair_id, ready_at from public.pairings
where lower(sandbox) = lower(:sandbox) or lower(munchkin) = lower(:munchkin);

-- name: pairings
-- As JSON, so that a table of before it knew `ready_at` is read too: its pairs are ready.
select p.munchkin, p.sandbox, p.created_at, (to_jsonb(p) ->> 'pair_id')::uuid as pair_id,
       not to_jsonb(p) @> '{"ready_at": null}' as ready
from public.pairings p order by p.munchkin;

-- name: pair_is_ready
update public.pairings set ready_at = coalesce(ready_at, now()) where pair_id = :pair_id;

-- name: pair_is_not_ready
update public.pairings set ready_at = null where pair_id = :pair_id;

-- name: forget_pair
delete from public.pairings where pair_id = :pair_id and ready_at is null;

-- name: sandboxes
-- Every sandbox there is, by its schema.
select n.nspname as schema from pg_namespace n
where n.nspname like 'sandbox\_%' and to_regclass(quote_ident(n.nspname) || '.migrations') is not null
order by n.nspname;
