-- Hosts that are not like the others: groups of which a host has more than twice what the host in the middle of its service has, and at
-- least 10 kB more. Groups that most hosts do not have at all are told by new_since_release and leak_spread.
--
-- times: how often as much. The last snapshot of each host counts, with all Lua states that were captured then.
with last as (
  select s.snapshot_id, s.service, s.host
  from (
    select snapshot_id, service, host, taken_at,
      max(taken_at) over (partition by service, host) as last_at
    from snapshot
  ) s
  -- States of one process are captured within a second.
  where s.taken_at >= s.last_at - interval '1' minute
),
sizes as (
  select l.service, l.host, g.fingerprint, max(g.name) as name, sum(g.self_size) as bytes
  from last l
  join groups g on g.snapshot_id = l.snapshot_id
  group by l.service, l.host, g.fingerprint
),
middle as (
  select service, fingerprint, median(bytes) as bytes
  from sizes
  group by service, fingerprint
)
select s.service, s.host, s.fingerprint, s.name, cast(s.bytes as bigint) as bytes, cast(m.bytes as bigint) as middle_bytes,
  round(s.bytes / m.bytes, 1) as times
from sizes s
join middle m on m.service = s.service and m.fingerprint = s.fingerprint
where s.bytes > 2 * m.bytes and s.bytes - m.bytes >= 10000
order by s.bytes - m.bytes desc, s.host, s.fingerprint
limit 20
