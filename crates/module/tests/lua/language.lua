-- Texts for people in a language: what they say, and what is no language.

local snapshot = require "snapshot"
local check = require "check"

kept = {}
local before = snapshot.snapshot()
for number = 1, 300 do kept[number] = { number } end
local more = snapshot.incr(before, snapshot.snapshot())

local english = snapshot.report(more)
check.matches(english, "hold[s]? [%d,]+ new object")
check.equal(snapshot.report(more, nil), english)
check.equal(snapshot.report(more, {}), english)
check.equal(snapshot.report(more, { language = "en" }), english)
local chinese = snapshot.report(more, { language = "zh" })
check.matches(chinese, "个新表")
check.matches(chinese, "增长最多的表：")
check.matches(chinese, "_G%.kept")

local function message(language)
  local list = {}
  leaking = list
  local ok, text = pcall(snapshot.check, function() list[#list + 1] = {} end, { language = language })
  check.equal(ok, false)
  return text
end
check.matches(message(nil), "accumulating at _G%.leaking")
check.matches(message "en", "accumulating at _G%.leaking")
check.matches(message "zh", "积聚在 _G%.leaking")

for _, language in ipairs { "de", "", "EN", "zh_CN" } do
  local got = "option 'language' is 'en' or 'zh', got '" .. language .. "')"
  check.raises("bad argument #2 to 'report' (" .. got, snapshot.report, more, { language = language })
  check.raises("bad argument #2 to 'check' (" .. got, snapshot.check, print, { language = language })
end
