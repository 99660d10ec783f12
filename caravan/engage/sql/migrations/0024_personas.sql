-- The persona that the Platform has told from somebody's job title. Nothing here writes it but what comes down.
alter table people add column persona text;
