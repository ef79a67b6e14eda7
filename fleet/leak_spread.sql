-- How a leak spread: on each day, on how many hosts a group was, of how many, and how many bytes it had at the end of the day.
--
-- Put the stable fingerprint of your group in the place of this one.
with asked as (
  select 'STABLE' as stable_fingerprint
),
last as (
  select snapshot_id, service, host, date
  from (
    select snapshot_id, service, host, date,
      row_number() over (partition by service, host, pid, state, date order by taken_at desc) as nth
    from snapshot
  ) ranked
  where nth = 1
)
select l.date, count(distinct case when g.snapshot_id is not null then l.host end) as hosts,
  count(distinct l.host) as hosts_in_all, cast(coalesce(sum(g.count), 0) as bigint) as objects,
  cast(coalesce(sum(g.self_size), 0) as bigint) as bytes
from last l
left join groups g on g.snapshot_id = l.snapshot_id
  and g.stable_fingerprint = (select stable_fingerprint from asked)
group by l.date
order by l.date
