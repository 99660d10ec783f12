-- The pair that a subscription belongs to: one row of its own schema. Without a sandbox it is unpaired.

-- name: name_subscription
insert into pair (munchkin) values (:munchkin) on conflict do nothing;

-- name: pair
-- As JSON, so that a store of before it knew `pair_id` can say whose it is.
select p.munchkin, p.sandbox, to_jsonb(p) ->> 'pair_id' as pair_id from pair p;

-- name: bind_pair
-- Only who is bound to nobody; one returned is bound by this.
update pair set sandbox = :sandbox, pair_id = :pair_id
where munchkin = :munchkin and sandbox is null returning true;

-- name: note_pair_id
-- Of a pair made before it had one.
update pair set pair_id = :pair_id where munchkin = :munchkin and sandbox = :sandbox and pair_id is null;

-- name: lock_pair
-- Whoever makes a journey run holds it too (the trigger of migration 0015): either this sees their journey,
-- or they find no pair.
select pair_id from pair for update;

-- name: unbind_pair
update pair set sandbox = null, pair_id = null;

-- name: what_runs
select (select coalesce(array_agg(slug || ' v' || version || ' (' || case when paused_at is null then state else 'paused' end || ')'
                                  order by slug, version), '{}')
        from journeys where kind = 'journey' and state in ('scheduled', 'live', 'closed') and deleted_at is null) as journeys,
       (select count(*) from traversals where ended_at is null) as accounts,
       (select count(*) from ledger where state in ('claimed', 'handed_over', 'deferred', 'held')) as messages;

-- name: forget_audience_copies
-- Another sandbox has audiences of its own; those that are asked for are copied anew.
with gone as (delete from audience_members)
delete from audience_copies;

-- name: forget_personas
-- They were another sandbox's; this one tells its own.
update people set persona = null where persona is not null;

-- name: follow_down_from
insert into cursors (stream, epoch, xid, seq) values (:stream, :epoch, :xid::text::xid8, :seq)
on conflict (stream) do update set epoch = excluded.epoch, xid = excluded.xid, seq = excluded.seq;

-- name: has_records
select exists (select from accounts) or exists (select from people);

-- name: know_messages
-- Which actions send, and by what: what the code says, for the queries of this store.
insert into message_kinds as k (action, carrier) select * from unnest(:actions::text[], :carriers::text[])
on conflict (action) do update set carrier = excluded.carrier where k.carrier <> excluded.carrier;
