-- name: external_id_of_account
select external_id from accounts where id = :id;

-- name: people_to_draw
-- In the order of the ids their team knows, which a copy of the data has too.
select p.id, p.external_id from relations r join people p on p.id = r.person_id
where r.account_id = :account_id and r.deleted_at is null and p.deleted_at is null
order by p.external_id;

-- name: store_drawn
insert into participants (traversal_id, node, visit, person_id, path, because)
select :traversal_id::bigint, :node, :visit, d.person_id, d.path, d.because
from unnest(:person_ids::bigint[], :paths::text[], :because::jsonb[]) as d (person_id, path, because)
on conflict do nothing;

-- name: lock_variant_counts
-- Whoever draws at this node takes turns, in any version of the journey.
select path, count from variant_counts where slug = :slug and node = :node order by path for update;

-- name: begin_variant_counts
insert into variant_counts (slug, node, path)
select :slug, :node, path from unnest(:paths::text[]) as p (path)
on conflict do nothing;

-- name: count_drawn
update variant_counts v set count = v.count + d.more
from unnest(:paths::text[], :more::bigint[]) as d (path, more)
where v.slug = :slug and v.node = :node and v.path = d.path;
