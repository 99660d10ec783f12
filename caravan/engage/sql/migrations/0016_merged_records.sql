-- Records that another stands for: the Platform says so, and what was recorded about them is that one's.
alter table accounts add column merged_into bigint;
alter table people add column merged_into bigint;
alter table activities add column own_account_id bigint, add column own_person_id bigint;
create index activities_own_account on activities (own_account_id) where own_account_id is not null;
create index activities_own_person on activities (own_person_id) where own_person_id is not null;
