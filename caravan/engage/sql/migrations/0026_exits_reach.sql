-- How many relations lie between an account and the farthest record its exits ask for; see
-- caravan/journeys/conditions/reach.py. Of plans that are here already, which ask for other accounts of the same
-- people by way of dynamic lists of people alone, it is as far as anybody writes one list into another.
alter table plans add column exits_reach smallint not null default 0;
update plans set exits_reach = 4
where jsonb_path_exists(body::jsonb, '$.exits[*].** ? (@.kind == "list" && @.of == "people" && @.when != null)');
create index plans_of_far_exits on plans (hash) where exits_reach > 1;

-- Lists that ask for other lists may have missed what happened to other accounts of the same people.
update lists set evaluated_at = null, xid = pg_current_xact_id()
where jsonb_path_exists(condition, '$.** ? (@.kind == "list" && @.when != null)');
