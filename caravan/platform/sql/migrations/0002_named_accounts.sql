-- Accounts without a name stay in the Platform: what leaves it is read from here.
create view named_accounts as
select id, external_id, attributes, stamps, deleted_at from accounts where attributes ? 'name';
