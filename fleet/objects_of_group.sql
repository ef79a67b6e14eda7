-- The objects of one group in one snapshot, those that retain most first, each with its shortest path. Needs the table object (--objects).
--
-- Put the fingerprint of your group, and the snapshot, in the places of these.
with recursive asked as (
  select 'SNAPSHOT' as snapshot_id, 'FINGERPRINT' as fingerprint
),
chosen as (
  select o.snapshot_id, o.id, o.self_size, o.retained_size, o.root_distance, o.parent_id, o.step
  from object o
  join asked a on a.snapshot_id = o.snapshot_id and a.fingerprint = o.group_fingerprint
  where o.reachable
  order by o.retained_size desc, o.id
  limit 20
),
walk as (
  select snapshot_id, id, parent_id, step as path, 1 as steps
  from chosen
  union all
  select w.snapshot_id, w.id, o.parent_id, concat(o.step, '.', w.path), w.steps + 1
  from walk w
  join object o on o.snapshot_id = w.snapshot_id and o.id = w.parent_id
  -- What is deeper is shown with the end of its path.
  where w.parent_id > 0 and w.steps < 50
)
select c.id, c.self_size, c.retained_size, c.root_distance, w.path
from chosen c
join walk w on w.id = c.id and (w.parent_id = 0 or w.steps = 50)
order by c.retained_size desc, c.id
