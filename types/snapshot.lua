---@meta snapshot

-- Annotations for the Lua language server (LuaLS). Add the folder of this file to `workspace.library`.
-- docs/lua-api.md has every function with an example that runs.

---Heap snapshots: what holds the memory of a Lua program, who holds an object, and what grows.
---@class snapshot
local snapshot = {}

---A snapshot of a heap, or the difference of two. It never changes. `#s` is the number of objects.
---@class snapshot.Snapshot: userdata
---@operator len: integer
local Snapshot = {}

---A process that saves a snapshot. It goes on when the job is forgotten.
---@class snapshot.Job: userdata
local Job = {}

---What an object's kind is called.
---@alias snapshot.Type
---| "table"
---| "function"
---| "thread"
---| "userdata"
---| "string"
---| "proto"
---| "upvalue"
---| "cdata"
---| "trace"

---How a snapshot is taken.
---@alias snapshot.Engine
---| "native" # reads the VM's own structures: every object, to the byte
---| "portable" # walks by the C API, on any VM

---An object itself, or a string: an address ("0x55d0", "table: 0x55d0"), a path ("_G.server.sessions"), a group's name or
---its fingerprint.
---@alias snapshot.What string|table|function|thread|userdata

---@class snapshot.Options
---@field engine? snapshot.Engine Native where it verifies the layout, for everything; portable for a value.

---@class snapshot.TopOptions
---@field by? "retained"|"size"|"count"|"class"|"owner" What comes first, or "owner" for owners; "retained" by default.
---@field n? integer How many rows, at most 10000; 20 by default.

---@class snapshot.RetainersOptions
---@field retainers? integer How many immediate retainers to list, at most 10000; 100 by default.
---@field paths? integer How many paths that share nothing to list, at most 10000; 5 by default.

---@class snapshot.CheckOptions
---@field runs? integer How many runs count, from 2 to 1000; 5 by default.
---@field allow? string[] What may grow, at most 10000: groups' names or fingerprints, or suspects' fingerprints.
---@field language? "en"|"zh" The language of the message; "en" by default.

---@class snapshot.ReportOptions
---@field language? "en"|"zh" The language of the text; "en" by default.

---@class snapshot.SaveOptions
---@field strings? boolean Whether the texts of strings go into the file; true by default.
---@field names? boolean Whether the names of keys, variables and source files do; true by default.
---@field sync? boolean Whether to wait until the disk has the file; false by default.

---@class snapshot.PageOptions
---@field title? string The title of the page; else it says what it is about.
---@field language? "en"|"zh" The language that it is shown in at first; the browser's by default.
---@field strings? boolean Whether beginnings of texts may be on it; true by default.

---A group of objects.
---@class snapshot.Group
---@field name string
---@field type snapshot.Type
---@field count integer How many members it has.
---@field size integer Their shallow sizes together, in bytes.
---@field retained integer The retained size of all members as one, in bytes.
---@field share number Which part of all objects' size that is, from 0 to 1.
---@field example string The shortest path to a member.
---@field example_is? string What that one is, if neither the last step of its path nor the name says it.
---@field fingerprint string The same from run to run.
---@field coroutine? snapshot.Coroutine Of coroutines: what the first member is doing.

---The groups that retain most, and what is to be said of all.
---@class snapshot.Top: snapshot.Group[]
---@field verdict? string Where the memory is, in a sentence or two; only by retained size.
---@field size integer The bytes of all objects.
---@field count integer The number of all objects.
---@field group_count integer The number of groups in all.
---@field fingerprint_rule integer The rule of all fingerprints.
---@field ledger snapshot.Ledger Where the process's memory is.

---What a plugin, a module or a folder of source has.
---@class snapshot.Owner
---@field kind "code"|"unnamed"|"lua"|"shared"|"unknown" "unnamed" is code that was loaded without a name.
---@field name string
---@field sharers? snapshot.Sharers[] Of "shared": who has what together, most first.
---@field files integer How many source files of it have code in use.
---@field count integer How many objects it has.
---@field size integer Their shallow sizes together, in bytes.
---@field share number Which part of all objects' size that is, from 0 to 1.
---@field example? string The path to where most of it is.

---What a few owners have together.
---@class snapshot.Sharers
---@field owners string[] Their names; none for what more than three have.
---@field count integer How many objects that is.
---@field size integer Their shallow sizes together, in bytes.
---@field share number Which part of all objects' size that is, from 0 to 1.
---@field words string Whose they are: "by plugins/a and plugins/b".

---What a coroutine is doing.
---@class snapshot.Coroutine
---@field status "not_started"|"suspended"|"normal"|"running"|"failed"|"dead" "failed" is dead by an error.
---@field at? string Where it waits, runs or died: "jobs.lua:12". Nil if it runs C alone.
---@field function? string The name of the function there.
---@field defined_at? string Where that function is defined.
---@field called_at? string Where that function was called.
---@field error? string The text of the error that ended it, if the VM still has it.
---@field words string All that in words.

---An object that holds what was asked about.
---@class snapshot.Retainer
---@field retainer string The shortest path to it; of GC roots their name, such as "[REGISTRY].[fixed]".
---@field path string The path to what it holds.
---@field references integer How many references it has to that.
---@field what? string What it is, if the last step of its own path does not say it.
---@field coroutine? snapshot.Coroutine What it is doing, if it is a coroutine.

---An object without which all that was asked about would be freed.
---@class snapshot.Keeper
---@field path string The shortest path to it.
---@field what? string What it is, if the last step of that path does not say it.
---@field retained integer Its retained size, in bytes.
---@field share number Which part of all objects' size that is, from 0 to 1.
---@field coroutine? snapshot.Coroutine What it is doing, if it is a coroutine.

---What an object is.
---@class snapshot.Object
---@field type snapshot.Type
---@field address string "0x55d0"
---@field class? string Its class, if it has one.
---@field defined_at? string Of functions in Lua: "jobs.lua:12".
---@field entries? integer Of tables: how many entries it has.
---@field slots? snapshot.Slots Of tables with many empty slots.
---@field weak? "k"|"v"|"kv" Of weak tables: what is weak, as in `__mode`.
---@field words string All that in words.

---The slots of a table.
---@class snapshot.Slots
---@field array integer How many slots its array part has.
---@field array_used integer How many of them are in use.
---@field hash integer How many slots its hash part has.
---@field hash_used integer How many of them are in use.

---@class snapshot.Retainers
---@field count integer How many objects are asked about.
---@field size integer Their shallow sizes together, in bytes.
---@field retained integer Their retained size, in bytes.
---@field retained_count integer How many objects that is.
---@field share number Which part of all objects' size that is, from 0 to 1.
---@field path string The shortest path to the first of them.
---@field object snapshot.Object What the first of them is.
---@field refers_to_itself? string[] Of one object: the steps by which it refers to itself.
---@field coroutine? snapshot.Coroutine What the first of them is doing, if it is a coroutine.
---@field retainers snapshot.Retainer[] Those with most references first.
---@field retainer_count integer How many there are, with those that are not listed.
---@field keepers snapshot.Keeper[] The nearest first; at most 8.
---@field weakness? snapshot.Weakness[] Of it and its dominators, tables with weak keys of which entries stay for ever.
---@field paths string[] Of one object, the paths that share nothing: it is freed only when each is cut.

---A table with weak keys of which entries stay for ever.
---@class snapshot.Weakness
---@field path string The shortest path to it.
---@field what? string What it is, if the last step of the path does not say it.
---@field entries integer How many entries stay.
---@field why "no_object_keys"|"values_hold_keys" Strings and numbers never go; or values refer to their keys.
---@field words string The same in words.

---How a group changed from snapshot to snapshot.
---@class snapshot.GrowthRow
---@field name string
---@field type snapshot.Type
---@field counts integer[] How many members it has in each snapshot.
---@field sizes integer[] Their shallow sizes in each snapshot, in bytes.
---@field count_change integer From the first snapshot to the last.
---@field size_change integer From the first snapshot to the last, in bytes.
---@field entry_change integer How many more entries its tables have, from the first snapshot to the last.
---@field growing boolean Whether it grew in every step.
---@field example string The path to the largest member that came.
---@field example_is? string What that one is, if neither the last step of its path nor the name says it.
---@field fingerprint string The same from run to run.

---A leak suspect.
---@class snapshot.Suspect
---@field point string The path to the accumulation point, the object where it piles up.
---@field point_is? string What that object is, if the last step of the path does not say it.
---@field held_by? string Who holds what accumulates, if it is not the point itself: "C code (luaL_ref)".
---@field retained integer The retained size of that object in the last snapshot, in bytes.
---@field share number Which part of all objects' size that is, from 0 to 1.
---@field grown integer The bytes that came.
---@field entries integer The entries of tables that came.
---@field small boolean Whether it is less than a hundredth of what all suspects grew.
---@field groups string[] The fingerprints of the groups that pile up there.
---@field example string The path to a member.
---@field example_is? string What that one is, if the last step of its path does not say it.
---@field fingerprint string The same from run to run.

---@class snapshot.Growth
---@field verdict string What grows, how fast and where, in a sentence.
---@field growing snapshot.GrowthRow[] Groups that grew in every step.
---@field changed snapshot.GrowthRow[] Groups that changed, those that grew most first; at most 1000.
---@field changed_count integer How many groups changed.
---@field suspects snapshot.Suspect[]
---@field sizes integer[] The bytes of all objects in each snapshot.
---@field ledger snapshot.LedgerChange Where the process's memory is in the first and the last snapshot.

---@class snapshot.Tally
---@field count integer
---@field bytes integer

---@class snapshot.KindTally: snapshot.Tally
---@field garbage_count integer
---@field garbage_bytes integer

---Where the process's memory is, in bytes.
---@class snapshot.Ledger
---@field resident? integer Physical memory (RSS) when the snapshot was taken; only of snapshots of everything.
---@field peak_resident? integer The most that ever was.
---@field limit? integer The smallest limit that its control groups set, if there is one.
---@field vm_total? integer Bytes that the VM says it holds: the sum of the next four.
---@field in_use? integer Objects in use; native snapshots only.
---@field garbage? integer Objects that the collector has not freed yet; native snapshots only.
---@field other? integer The VM's own structures, and luasnap's handles in the VM; native snapshots only.
---@field unaccounted? integer What is left of the total; native snapshots only.
---@field outside? integer Physical memory that is not the VM's.
---@field snapshots? integer What luasnap's own snapshots held of that.
---@field cdata? integer How many cdata there are, garbage included; native snapshots only.
---@field finalizers integer How many userdata have a function in `__gc`, garbage included.
---@field shared? snapshot.Shared Objects of other states that the state refers to, in skynet's Lua.
---@field verdict? string What most of it is: a sentence without a full stop.

---Objects of other states; their bytes are in the total of those.
---@class snapshot.Shared
---@field count integer
---@field bytes integer
---@field states? integer How many states share the one that most share.

---@class snapshot.LedgerChange
---@field first snapshot.Ledger Of the first snapshot.
---@field last snapshot.Ledger Of the last snapshot.
---@field verdict? string What most of the growth is: a sentence without a full stop.

---@class snapshot.Stats
---@field engine snapshot.Engine
---@field engine_reason? string Why the native engine could not be used; nil where it was, or where an engine was chosen.
---@field vm string Such as "Lua 5.4".
---@field layout? string The releases whose structures the VM has; native snapshots only.
---@field exact boolean Whether every byte that the VM says it holds is accounted for.
---@field objects snapshot.Tally All that is in use.
---@field references integer How many references there are among all objects.
---@field kinds table<string, snapshot.KindTally> By kind: table, lua_function, c_function, thread, userdata, ...
---@field coroutines? table<string, integer> How many there are of each status; not the main thread.
---@field own snapshot.Tally Snapshots in the Lua heap.
---@field blocks table<string, integer> Bytes of what belongs to the VM and is no object, by name.
---@field memory integer Bytes that the snapshot holds, outside the Lua heap.
---@field ledger snapshot.Ledger Where the process's memory is.
---@field garbage? snapshot.Tally What nothing holds and the collector has not freed yet; native snapshots only.
---@field total? integer Bytes that the VM says it holds.
---@field accounted? integer What objects and blocks add up to; native snapshots only.
---@field unaccounted? integer What is left of the total; native snapshots only.

---A text that is there several times.
---@class snapshot.RepeatedText
---@field text string Its first 40 bytes.
---@field count integer How many strings have it.
---@field size integer Bytes of one.
---@field bytes integer Bytes of all but one.
---@field example string The shortest path to one of them.

---@class snapshot.RepeatedTexts: snapshot.Tally
---@field top snapshot.RepeatedText[]

---A table that keeps far more slots than it uses.
---@class snapshot.SparseTable
---@field type snapshot.Type
---@field address string Such as "0x55d0".
---@field array_slots integer
---@field array_used integer
---@field hash_slots integer
---@field hash_used integer
---@field bytes integer Bytes of its empty slots.
---@field path string The shortest path to it.

---@class snapshot.SparseTables: snapshot.Tally
---@field top snapshot.SparseTable[]

---@class snapshot.Waste
---@field strings? snapshot.RepeatedTexts Native snapshots only.
---@field tables? snapshot.SparseTables Native snapshots only.
---@field garbage? snapshot.Tally Native snapshots only.
---@field blocks table<string, integer>
---@field total? integer
---@field unaccounted? integer Native snapshots only.

---Takes a snapshot of everything, or of what is reachable from a value.
---@param value table|function|thread|userdata|nil
---@param name string? What the root is called.
---@param options? snapshot.Options
---@return snapshot.Snapshot
---@overload fun(): snapshot.Snapshot
function snapshot.snapshot(value, name, options) end

---Prints the table of objects to standard output.
---@param s snapshot.Snapshot
function snapshot.print(s) end

---Prints the tree of paths as JSON on one line.
---@param s snapshot.Snapshot
function snapshot.print_json(s) end

---Prints the tree of paths as indented JSON.
---@param s snapshot.Snapshot
function snapshot.print_jsonfmt(s) end

---Writes what `print` prints to a file.
---@param s snapshot.Snapshot
---@param path string
function snapshot.to_file(s, path) end

---Writes what `print_json` prints to a file.
---@param s snapshot.Snapshot
---@param path string
function snapshot.to_jsonfile(s, path) end

---Writes what `print_jsonfmt` prints to a file.
---@param s snapshot.Snapshot
---@param path string
function snapshot.to_jsonfilefmt(s, path) end

---Returns an independent snapshot with the same contents.
---@param s snapshot.Snapshot
---@return snapshot.Snapshot
function snapshot.copy(s) end

---Returns what `s2` has more than `s1`: new objects, and tables that grew.
---@param s1 snapshot.Snapshot
---@param s2 snapshot.Snapshot
---@return snapshot.Snapshot
function snapshot.incr(s1, s2) end

---Returns what `s1` had and `s2` has not: objects that are gone, and tables that shrank.
---@param s1 snapshot.Snapshot
---@param s2 snapshot.Snapshot
---@return snapshot.Snapshot
function snapshot.decr(s1, s2) end

---Gives the memory back now. The snapshot is an empty one afterwards.
---@param s snapshot.Snapshot
function snapshot.free(s) end

---Returns the biggest groups of a snapshot or difference, as a text for people.
---@param s snapshot.Snapshot
---@param options? snapshot.ReportOptions
---@return string
function snapshot.report(s, options) end

---Returns what the snapshot counts.
---@param s snapshot.Snapshot
---@return snapshot.Stats
function snapshot.stats(s) end

---Returns memory that could be spared: texts that are there several times, tables of empty slots.
---@param s snapshot.Snapshot
---@param n? integer How many of each sort to list, at most 1000; 10 by default.
---@return snapshot.Waste
function snapshot.waste(s, n) end

---Writes a `.luasnap` file, for its owner alone.
---@param s snapshot.Snapshot
---@param path string
---@param options? snapshot.SaveOptions
function snapshot.save(s, path, options) end

---Saves a snapshot of everything by a process of its own, on a copy of the memory as it is now. Raises where there can be none.
---@param path string
---@param options? snapshot.SaveOptions
---@return snapshot.Job
function snapshot.background(path, options) end

---Whether the process has ended, well or not. Does not wait.
---@param job snapshot.Job
---@return boolean
function snapshot.done(job) end

---Waits until the file is written. Raises where it was not.
---@param job snapshot.Job
function snapshot.wait(job) end

---Why the file was not written; nil while the process runs, and when the file is there.
---@param job snapshot.Job
---@return string?
function snapshot.error(job) end

---Writes a report as one HTML file, for its owner alone: about one snapshot, or several in the order in which they were
---taken.
---@param s snapshot.Snapshot
---@param path string
---@param options? snapshot.PageOptions
---@overload fun(s1: snapshot.Snapshot, s2: snapshot.Snapshot, path: string, options?: snapshot.PageOptions)
---@overload fun(s1: snapshot.Snapshot, s2: snapshot.Snapshot, s3: snapshot.Snapshot, ...: snapshot.Snapshot|string|snapshot.PageOptions)
function snapshot.save_page(s, path, options) end

---Reads a `.luasnap` file.
---@param path string
---@return snapshot.Snapshot
function snapshot.load(path) end

---Returns the groups that retain most, or with `by = "owner"` the owners that have most.
---@param s snapshot.Snapshot
---@param options? snapshot.TopOptions
---@return snapshot.Top|snapshot.Owner[]
function snapshot.top(s, options) end

---Returns what changed from snapshot to snapshot, what grew in every step, and where it piles up.
---@param s1 snapshot.Snapshot
---@param s2 snapshot.Snapshot
---@param ... snapshot.Snapshot
---@return snapshot.Growth
function snapshot.growth(s1, s2, ...) end

---Returns the shortest path to an object, or to one of a group; nil and a reason where there is none.
---@param s snapshot.Snapshot
---@param what snapshot.What
---@return string? path
---@return string? reason
function snapshot.path(s, what) end

---Returns who holds an object or a group; nil and a reason where nothing does.
---@param s snapshot.Snapshot
---@param what snapshot.What
---@param options? snapshot.RetainersOptions
---@return snapshot.Retainers? retainers
---@return string? reason
function snapshot.retainers(s, what, options) end

---Runs a function several times, and raises an error if a group of objects is larger after each run: a failure of busted or
---luaunit where one of them is loaded, else a string.
---@param f fun()
---@param options? snapshot.CheckOptions
function snapshot.check(f, options) end

---Returns a text with what a terminal would obey, and what cannot be seen, escaped.
---@param text string
---@return string
function snapshot.printable(text) end

-- Every function that takes a snapshot first is a method of it too.
Snapshot.print = snapshot.print
Snapshot.print_json = snapshot.print_json
Snapshot.print_jsonfmt = snapshot.print_jsonfmt
Snapshot.to_file = snapshot.to_file
Snapshot.to_jsonfile = snapshot.to_jsonfile
Snapshot.to_jsonfilefmt = snapshot.to_jsonfilefmt
Snapshot.copy = snapshot.copy
Snapshot.incr = snapshot.incr
Snapshot.decr = snapshot.decr
Snapshot.free = snapshot.free
Snapshot.report = snapshot.report
Snapshot.stats = snapshot.stats
Snapshot.waste = snapshot.waste
Snapshot.save = snapshot.save
Snapshot.save_page = snapshot.save_page
Snapshot.top = snapshot.top
Snapshot.growth = snapshot.growth
Snapshot.path = snapshot.path
Snapshot.retainers = snapshot.retainers

Job.done = snapshot.done
Job.wait = snapshot.wait
Job.error = snapshot.error
Job.free = snapshot.free

return snapshot
