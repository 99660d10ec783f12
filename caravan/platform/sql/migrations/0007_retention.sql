-- By which old events are found; one that costs who records them next to nothing.
create index activities_by_age on activities using brin (at);
