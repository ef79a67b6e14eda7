-- The report as a page: what it is written from, its options, and what has none.

local snapshot = require "snapshot"
local check = require "check"

heap = { list = {} }
local series = {}
for step = 1, 3 do
  for i = 1, 50 do heap.list[#heap.list + 1] = { "entry", { step, i } } end
  series[step] = snapshot.snapshot()
end
local one, two, three = series[1], series[2], series[3]

local function page(...)
  check.equal(select("#", snapshot.save_page(...)), 0)
  local text = check.read "page.html"
  check.matches(text, "^<!doctype html>\n")
  check.matches(text, "</html>\n$")
  assert(os.remove "page.html")
  return text
end

-- Of one or of several, and as a method.
local of_one, of_three = page(three, "page.html"), page(one, two, three, "page.html")
assert(of_one ~= of_three)
check.matches(of_one, "<noscript>\n<p[^\n]*heap")
check.matches(of_three, "<noscript>\n<p[^\n]*>_G%.heap%.list grows in every step, by ")
three:save_page "page.html"
check.matches(check.read "page.html", "^<!doctype html>")
one:save_page(two, "page.html", nil)
page(two, three, "page.html", nil)
page(snapshot.snapshot({}, "part"), "page.html", {})

-- Options.
local options = { title = "a title", language = "zh", strings = false, unknown = 1 }
assert(page(three, "page.html", options) ~= of_one)
local function wrong(reason, option)
  check.raises("bad argument #3 to 'save_page' (" .. reason .. ")", snapshot.save_page, one, "page.html", option)
end
wrong("option 'title' is a string, got boolean", { title = true })
wrong("option 'strings' is a boolean, got string", { strings = "no" })
wrong("option 'language' is a string, got number", { language = 1 })
wrong("option 'language' is 'en' or 'zh', got 'd\\ne'", { language = "d\ne" })

-- Wrong arguments.
check.raises("bad argument #1 to 'save_page' (snapshot expected, got no value)", snapshot.save_page)
check.raises("bad argument #1 to 'save_page' (snapshot expected, got string)", snapshot.save_page, "page.html")
check.raises("bad argument #2 to 'save_page' (string expected, got no value)", snapshot.save_page, one)
check.raises("bad argument #2 to 'save_page' (snapshot expected, got number)", snapshot.save_page, one, 5, "page.html")
check.raises("bad argument #2 to 'save_page' (string expected, got table)", snapshot.save_page, one, {})
check.raises("bad argument #2 to 'save_page' (a path cannot contain a zero byte)", snapshot.save_page, one, "a\0b")

-- What has no page, and files that cannot be written.
local difference = two:incr(one)
check.raises("snapshot 1 is the difference of two others: a page is about whole snapshots",
  snapshot.save_page, difference, "page.html")
check.raises("snapshot 2 is the difference of two others: a page is about whole snapshots",
  snapshot.save_page, one, difference, "page.html")
local part = snapshot.snapshot({}, "part", { engine = "portable" })
local other = snapshot.snapshot({}, "other", { engine = "portable" })
check.raises("snapshot 1 shows what part holds, snapshot 2 what other holds: take both with the same root",
  snapshot.save_page, part, other, "page.html")
check.raises("cannot write 'missing/page.html': No such file or directory", snapshot.save_page, one, "missing/page.html")
check.write("page.html", "older")
check.raises("cannot write '/dev/full': No space left on device", snapshot.save_page, one, "/dev/full")
check.equal(check.read "page.html", "older")

-- A freed snapshot is an empty one.
local freed = one:copy()
freed:free()
page(freed, "page.html")
check.raises("snapshot 2 is empty: there is nothing to compare", snapshot.save_page, one, freed, "page.html")
