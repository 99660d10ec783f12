-- Which claim of a decision an answer is to: facts are claimed anew once somebody they told of is erased, and then person 1 is
-- somebody else.
alter table decisions add column claim integer not null default 1;
