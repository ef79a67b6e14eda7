-- Whose the memory is: the bytes of each plugin, module or folder of source, and its share of the service, in the last snapshot of each
-- Lua state. Needs the table owner, which attach and watch write with --paths.
with last as (
  select snapshot_id, service, host
  from (
    select snapshot_id, service, host,
      row_number() over (partition by service, host order by taken_at desc) as nth
    from snapshot
  ) ranked
  where nth = 1
)
select l.service, o.kind, o.name, count(distinct l.host) as hosts, cast(sum(o.self_size) as bigint) as bytes,
  round(100.0 * sum(o.self_size) / sum(sum(o.self_size)) over (partition by l.service), 1) as percent
from last l
join owner o on o.snapshot_id = l.snapshot_id
group by l.service, o.kind, o.name
order by l.service, bytes desc, o.name
