-- name: halt_sending
-- Given again, the first stands; a reason that is given replaces an earlier one.
insert into sending_halt as h (halted_at, halted_by, reason) values (:at, :by, :reason)
on conflict (singular) do update set reason = coalesce(excluded.reason, h.reason)
returning halted_at, halted_by, reason;

-- name: lift_halt
-- Waits for who is about to be held (still_halted): they are then seen among the held.
delete from sending_halt returning halted_at, halted_by, reason;

-- name: halt_in_force
select halted_at, halted_by, reason from sending_halt;

-- name: still_halted
-- Asked by an account about to be held, under a lock that whoever lets all go on waits for.
select true from sending_halt for share;
