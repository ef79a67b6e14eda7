-- What all services of skynet.lua share as one table.

return {
  levels = { "one", "two", { deep = true } },
  greet = function(name) return "hello " .. name end,
  text = ("a text that is longer than short ones are"):rep(3),
}
