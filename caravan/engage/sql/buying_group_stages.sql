-- name: stage_model_of_group
select m.body from buying_groups g join stage_models m on m.id = g.stage_model_id where g.id = :group_id;

-- name: move_to_{table} for stage, status
with moved as (
  update buying_groups set {table} = :new, {table}_at = :at where id = :group_id returning id, old.{table} as before
)
insert into buying_group_history (group_id, what, old, new, at, source)
select id, '{table}', before, :new, :at, :source from moved;
