-- What is new since a release: groups that no snapshot of another release has, by their fingerprints without lines, so that code which
-- only moved in its file is not new. The sums are those of the last snapshot of each Lua state.
--
-- hosts: where it is now. Put your release in the place of 1.1.
with asked as (
  select '1.1' as release
),
known as (
  select distinct g.stable_fingerprint
  from snapshot s
  join groups g on g.snapshot_id = s.snapshot_id
  where s.release is distinct from (select release from asked)
),
last as (
  select snapshot_id, service, host
  from (
    select snapshot_id, service, host,
      row_number() over (partition by service, host, pid, state order by taken_at desc) as nth
    from snapshot
    where release = (select release from asked)
  ) ranked
  where nth = 1
)
select l.service, g.stable_fingerprint, max(g.kind) as kind, max(g.name) as name, count(distinct l.host) as hosts,
  cast(sum(g.count) as bigint) as objects, cast(sum(g.self_size) as bigint) as bytes
from last l
join groups g on g.snapshot_id = l.snapshot_id
left join known k on k.stable_fingerprint = g.stable_fingerprint
where k.stable_fingerprint is null
group by l.service, g.stable_fingerprint
order by bytes desc, l.service, g.stable_fingerprint
limit 20
