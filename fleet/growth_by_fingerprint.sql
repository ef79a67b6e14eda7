-- What grows, across all hosts: for each group, what it has more in the last snapshot of a Lua state than in the first, added up over
-- the states in which it grew.
--
-- hosts: where it grew. grown_bytes, grown_objects: in all of them. bytes_an_hour: in one state, on average.
with ranked as (
  select service, host, pid, state, snapshot_id, taken_at,
    row_number() over (partition by service, host, pid, state order by taken_at) as nth,
    row_number() over (partition by service, host, pid, state order by taken_at desc) as nth_from_last,
    max(taken_at) over (partition by service, host, pid, state)
      - min(taken_at) over (partition by service, host, pid, state) as span
  from snapshot
),
ends as (
  select service, host, pid, state, snapshot_id, case when nth = 1 then -1 else 1 end as sign,
    extract(day from span) * 24 + extract(hour from span) + extract(minute from span) / 60.0
      + extract(second from span) / 3600.0 as hours
  from ranked
  -- Of a state with one snapshot nothing is known.
  where (nth = 1) <> (nth_from_last = 1)
),
grown as (
  select e.service, e.host, g.fingerprint, max(g.kind) as kind, max(g.name) as name, max(e.hours) as hours,
    sum(e.sign * g.self_size) as bytes, sum(e.sign * g.count) as objects
  from ends e
  join groups g on g.snapshot_id = e.snapshot_id
  group by e.service, e.host, e.pid, e.state, g.fingerprint
)
select service, fingerprint, max(kind) as kind, max(name) as name, count(distinct host) as hosts,
  cast(sum(bytes) as bigint) as grown_bytes, cast(sum(objects) as bigint) as grown_objects,
  cast(round(avg(bytes / hours)) as bigint) as bytes_an_hour
from grown
where bytes > 0
group by service, fingerprint
order by grown_bytes desc, service, fingerprint
limit 20
