//! What the file says in words: for programs and whoever reads them, in English whatever the user's language, as JSON is. A
//! collector that reads several files wants one description of a metric.

/// The first line, by which a later luasnap knows a file that a killed one left.
pub const FIRST_LINE: &str =
    "# Written by luasnap watch after each step, and removed when it ends.\n";

/// Returns what a metric is.
pub fn help(metric: &str) -> &'static str {
    let known = HELP.iter().find(|(name, _)| *name == metric);
    known.map_or("", |(_, help)| help)
}

const HELP: [(&str, &str); 11] = [
    (
        "lua_heap_bytes",
        "Bytes of the objects in use in the Lua heap: the sum of lua_heap_group_bytes.",
    ),
    (
        "lua_heap_garbage_bytes",
        "Bytes of objects that the collector has not freed yet.",
    ),
    (
        "lua_heap_group_bytes",
        "Bytes of the objects in use of a group: the largest groups, those that grow most, and all others as one.",
    ),
    ("lua_heap_objects", "Objects in use in the Lua heap."),
    (
        "lua_snapshot_exact",
        "1 if every byte of lua_vm_bytes is accounted for, else 0.",
    ),
    (
        "lua_snapshot_interval_seconds",
        "The time after which the next figures are due.",
    ),
    (
        "lua_snapshot_pause_seconds",
        "How long the longest stop of the process was for these figures.",
    ),
    (
        "lua_snapshot_timestamp_seconds",
        "When these figures were taken, in seconds since 1970.",
    ),
    (
        "lua_state_info",
        "What is watched: the program, its release, the name of the Lua state and its VM. Always 1.",
    ),
    (
        "lua_vm_bytes",
        "Bytes that the Lua VM says it holds: objects in use, garbage and its own structures.",
    ),
    (
        "process_resident_bytes",
        "Physical memory (RSS) of the process in bytes.",
    ),
];
