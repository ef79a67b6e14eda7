-- The objects that retain most, in each snapshot that has objects (--objects): what would be freed without each one, and how much of that
-- lies right below it.
with ranked as (
  select o.snapshot_id, o.id, o.kind, o.step, o.group_fingerprint, o.self_size, o.retained_size, o.retained_count, o.idom_id,
    row_number() over (partition by o.snapshot_id order by o.retained_size desc, o.id) as nth
  from object o
  where o.reachable
),
below as (
  select snapshot_id, idom_id, count(*) as children, max(retained_size) as largest_child
  from object
  where reachable
  group by snapshot_id, idom_id
)
select s.service, s.host, r.nth, r.id, r.kind, r.step, g.name, r.self_size, r.retained_size, r.retained_count,
  coalesce(b.children, 0) as children, coalesce(b.largest_child, 0) as largest_child
from ranked r
join snapshot s on s.snapshot_id = r.snapshot_id
left join groups g on g.snapshot_id = r.snapshot_id and g.fingerprint = r.group_fingerprint
left join below b on b.snapshot_id = r.snapshot_id and b.idom_id = r.id
where r.nth <= 10
order by s.service, s.host, r.snapshot_id, r.nth
