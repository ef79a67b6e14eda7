//! The English texts, by code.

use crate::texts::{Noun, Text};

pub(crate) const TEXTS: &[Text] = &[
    ("growth.entries", ": {entries} more"),
    ("growth.grew", "{point} grew by {bytes}{rate}{what}."),
    (
        "growth.grew_most",
        "{name} grew most, by {bytes}{rate}{since}.",
    ),
    (
        "growth.grows",
        "{point} grows in every step, by {bytes}{rate}{what}.",
    ),
    ("growth.held_by_c", " (held by C code (luaL_ref))"),
    ("growth.is", " ({what})"),
    ("growth.members", ": {members} more, {name}"),
    ("growth.nothing", "Nothing grew."),
    ("growth.point", "{name}{is}{holder}"),
    ("growth.rate", ", {bytes} a minute over {time}"),
    ("growth.since", ", in each of the last {steps} steps{time}"),
    ("growth.since_time", " ({time})"),
    (
        "ledger.garbage",
        "{part} of the VM's {all} are garbage the collector has not reached: no leak",
    ),
    (
        "ledger.garbage_grew",
        "{part} of the {all} by which the VM grew are garbage the collector has not reached: no leak",
    ),
    (
        "ledger.outside",
        "{part} of the process's {all} are outside the Lua VM: the allocator, C libraries, other VMs",
    ),
    (
        "ledger.outside_5_5",
        "{part} of the process's {all} are outside the Lua VM's count: texts of long strings, the allocator, C libraries, other VMs",
    ),
    (
        "ledger.outside_5_5_grew",
        "{part} of the {all} by which the process grew are outside the Lua VM's count: texts of long strings, the allocator, C libraries, other VMs",
    ),
    (
        "ledger.outside_grew",
        "{part} of the {all} by which the process grew are outside the Lua VM: the allocator, C libraries, other VMs",
    ),
    ("time.hours", "{number} h"),
    ("time.minutes", "{number} min"),
    ("time.seconds", "{number} s"),
    (
        "top.many",
        "{members}, {name}, retain {bytes}, {share} of all together.",
    ),
    ("top.none", "No object and no group retains a fifth of all."),
    (
        "top.one",
        "One {kind}, {name}, retains {bytes}, {share} of all.",
    ),
    (
        "top.one_and_many",
        "One {kind}, {name}, retains {bytes}, {share} of all. In it are {members}: {group} ({group_bytes}, {group_share} of all).",
    ),
];

pub(crate) const NOUNS: &[Noun] = &[
    ("cdata", ("cdata", "cdata")),
    ("coroutine", ("coroutine", "coroutines")),
    ("entry", ("entry", "entries")),
    ("function", ("function", "functions")),
    ("object", ("object", "objects")),
    ("proto", ("proto", "protos")),
    ("string", ("string", "strings")),
    ("table", ("table", "tables")),
    ("thread", ("thread", "threads")),
    ("trace", ("trace", "traces")),
    ("upvalue", ("upvalue", "upvalues")),
    ("userdata", ("userdata", "userdata")),
];
