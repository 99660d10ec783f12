-- name: add_event_key
insert into event_keys (name, digest, created_at) values (:name, :digest, :at)
on conflict (name) where revoked_at is null do nothing
returning id;

-- name: event_keys
select name, created_at, revoked_at from event_keys order by created_at, id;

-- name: revoke_event_key
update event_keys set revoked_at = :at where name = :name and revoked_at is null returning id;

-- name: event_key_holds
-- By the digest, which an index finds; nothing is compared here that could tell by its time how near it came.
select name from event_keys where digest = :digest and revoked_at is null;
