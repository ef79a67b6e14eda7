-- Where the process's memory is, by either engine.

local snapshot = require "snapshot"
local check = require "check"

local is_native = os.getenv "LUASNAP_ENGINE" == "native"
local MIB = 2 ^ 20

local function ledger() return snapshot.snapshot():stats().ledger end

-- What the system says, and what the VM says of that.
local l = ledger()
check.equal(l.resident > 0 and l.resident % 1024, 0)
check.equal(l.peak_resident >= l.resident, true)
check.equal(l.limit == nil or l.limit > 0, true)
check.equal(l.vm_total > 10000, true)
check.equal(l.outside, math.max(0, l.resident - l.vm_total))
if is_native then
  check.equal(l.in_use + l.garbage + l.other + l.unaccounted, l.vm_total)
else
  check.equal(l.in_use, nil)
  check.equal(l.garbage, nil)
  check.equal(l.other, nil)
  check.equal(l.unaccounted, nil)
end

-- What C libraries made. (The host's strings of a file have one, too.)
check.collect()
local before = ledger()
kept = {}
for i = 1, 30 do
  kept[i] = host.userdata(8)
  if i <= 20 then
    debug.setmetatable(kept[i], { __gc = i <= 17 and function() end or nil, __index = {} })
  end
end
local after = ledger()
check.equal(after.finalizers - before.finalizers, 17)
if not is_native then
  check.equal(after.cdata, nil)
elseif check.is_luajit then
  local ffi = require "ffi"
  for i = 1, 40 do kept[i] = ffi.new "int[4]" end
  local with = ledger()
  check.equal(with.cdata - after.cdata >= 40, true)
else
  check.equal(after.cdata, 0)
end

-- Memory of snapshots is told apart. (A snapshot does not hold itself yet.)
local held = snapshot.snapshot()
local more = ledger().snapshots - held:stats().ledger.snapshots
check.equal(more >= held:stats().memory / 2, true)

-- What grew.
kept = nil
check.collect()
local first = snapshot.snapshot()
kept = {}
for i = 1, 2 ^ 21 do kept[i] = i end
local last = snapshot.snapshot()
local grown = snapshot.growth(first, last).ledger
check.equal(grown.last.vm_total - grown.first.vm_total >= 15 * MIB, true)
check.equal(grown.last.resident >= 15 * MIB, true)
check.equal(grown.last.resident, last:stats().ledger.resident)
check.equal(grown.first.peak_resident, first:stats().ledger.peak_resident)

-- Garbage that the collector has not reached is no leak.
collectgarbage "stop"
kept = nil
local garbage = snapshot.snapshot()
if is_native then
  local verdict = garbage:stats().ledger.verdict
  check.matches(verdict, "^%d+%.%d MiB of the VM's %d+%.%d MiB are garbage the collector has not reached: no leak$")
end
collectgarbage "restart"

-- A file has all of it.
local path = os.tmpname()
snapshot.save(garbage, path)
local saved, loaded = garbage:stats().ledger, snapshot.load(path):stats().ledger
for name, value in pairs(saved) do check.equal(loaded[name], value, name) end
for name in pairs(loaded) do check.equal(saved[name] ~= nil, true, name) end
os.remove(path)

-- Of a part, which is small and quick, the system is not asked; of a difference nothing is said.
local part = snapshot.snapshot({ {} }, "part"):stats().ledger
check.equal(part.resident, nil)
check.equal(part.in_use, nil)
check.equal(part.finalizers, 0)
local difference = first:incr(last):stats().ledger
check.equal(difference.resident, nil)
check.equal(difference.vm_total, nil)

-- Of nothing.
first:free()
local nothing = first:stats().ledger
check.equal(nothing.finalizers, 0)
check.equal(nothing.resident, nil)
