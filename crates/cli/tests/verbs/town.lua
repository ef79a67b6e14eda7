-- What the verbs are asked about: classes, closures, a coroutine, strings and waste. It leaves
-- behind as many people as its argument says.

local population = tonumber((...))

Person = {} -- a class that is known by the name that reaches it
Person.__index = Person
local House = { __name = "House" } -- and one by its own
House.__index = House

town = { people = {}, houses = {}, bells = {} }

local function settle(number)
  local house = setmetatable({ number = number, rooms = { "hall", "kitchen" } }, House)
  local person = setmetatable({ house = house, debts = number * 1.5 }, Person)
  town.houses[number] = house
  town.people["person" .. number] = person
  town.bells[number] = function() return person end
end

for number = 1, population do settle(number) end

mayor = town.people.person1

-- Three texts that are there twice, and a table with room for far more than it has.
proclamations = {}
for number = 1, 3 do
  for copy = 1, 2 do
    proclamations[#proclamations + 1] = ("hear ye "):rep(10) .. number
  end
end
register = {}
for number = 1, 64 do register["name" .. number] = number end
for number = 2, 64 do register["name" .. number] = nil end

crier = coroutine.create(function()
  local news = { "all is well" }
  coroutine.yield(news)
end)
coroutine.resume(crier)
