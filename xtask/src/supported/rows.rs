//! The rows: each build of Lua, and the test that shows what is said of it.

use std::collections::BTreeSet;
use std::fmt;

/// A Lua, and what is shown of it.
pub struct Row {
    /// The build.
    pub lua: &'static str,
    /// The machine that the tests run on.
    pub machine: Machine,
    /// By the module, in the process.
    pub inside: Shown,
    /// From outside, while it runs.
    pub attach: Shown,
    /// From a core file.
    pub core: Shown,
}

/// A machine that tests run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Machine {
    X86_64,
    /// In an emulator: what `cargo xtask arm64` runs.
    AArch64,
}

impl Machine {
    pub const ALL: [Machine; 2] = [Machine::X86_64, Machine::AArch64];
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Machine::X86_64 => "x86-64",
            Machine::AArch64 => "AArch64",
        })
    }
}

impl Row {
    /// The tests that show what it says, each once.
    pub fn tests(&self) -> Vec<&'static str> {
        let mut tests = Vec::new();
        for shown in [self.inside, self.attach, self.core] {
            tests.extend(shown.test().filter(|test| !tests.contains(test)));
        }
        tests
    }
}

/// What is said of one way to read it.
#[derive(Clone, Copy)]
pub enum Shown {
    /// Every byte is accounted for, as this test shows.
    Exact(&'static str),
    /// It is done otherwise, as this test shows: in these words.
    Otherwise(&'static str, &'static str),
    /// No test tries it.
    NotTried,
}

impl Shown {
    /// The test's name.
    pub fn test(self) -> Option<&'static str> {
        match self {
            Shown::Exact(test) | Shown::Otherwise(_, test) => Some(test),
            Shown::NotTried => None,
        }
    }

    /// What the table says.
    pub fn words(self) -> &'static str {
        match self {
            Shown::Exact(_) => "exact",
            Shown::Otherwise(words, _) => words,
            Shown::NotTried => "-",
        }
    }
}

use Shown::{Exact, NotTried, Otherwise};

const fn row(lua: &'static str, inside: Shown, attach: Shown, core: Shown) -> Row {
    Row {
        lua,
        machine: Machine::X86_64,
        inside,
        attach,
        core,
    }
}

/// Attaching cannot be tested in an emulator.
const fn on_aarch64(lua: &'static str, inside: Shown, core: Shown) -> Row {
    Row {
        lua,
        machine: Machine::AArch64,
        inside,
        attach: NotTried,
        core,
    }
}

/// The tests of a machine, each once.
pub fn tests(machine: Machine) -> impl Iterator<Item = &'static str> {
    let rows = ROWS.iter().filter(move |row| row.machine == machine);
    let all: BTreeSet<&str> = rows.flat_map(Row::tests).collect();
    all.into_iter()
}

/// All rows.
pub const ROWS: &[Row] = &[
    row(
        "Lua 5.1.5",
        Exact("engines::exact::lua51"),
        Exact("heaps::waiting::lua51"),
        Exact("cores::by_hand::lua51"),
    ),
    row(
        "Lua 5.2.4",
        Exact("engines::exact::lua52"),
        Exact("heaps::waiting::lua52"),
        Exact("cores::by_hand::lua52"),
    ),
    row(
        "Lua 5.3.6",
        Exact("engines::exact::lua53"),
        Exact("heaps::waiting::lua53"),
        Exact("cores::by_hand::lua53"),
    ),
    row(
        "Lua 5.4.9",
        Exact("engines::exact::lua54"),
        Exact("heaps::waiting::lua54"),
        Exact("cores::by_hand::lua54"),
    ),
    row(
        "Lua 5.5.1",
        Exact("engines::exact::lua55"),
        Exact("heaps::waiting::lua55"),
        Exact("cores::by_hand::lua55"),
    ),
    row(
        "LuaJIT 2.1 of luajit-src",
        Exact("engines::exact::luajit"),
        Exact("heaps::waiting::luajit"),
        Exact("cores::by_hand::luajit"),
    ),
    row(
        "Lua 5.3.5, 5.4.0 to 5.4.4, 5.4.6 to 5.4.8, 5.5.0",
        Exact("engines::exact_in_older_releases"),
        Exact("heaps::older_releases_are_known_by_their_own_layout"),
        NotTried,
    ),
    row(
        "models of Lua 5.2.1 to 5.2.3, 5.3.1 and 5.3.3",
        Exact("engines::exact_however_it_is_built"),
        Exact("heaps::exact_however_it_is_built"),
        NotTried,
    ),
    row(
        "Lua 5.3.3 (Debian's bam)",
        NotTried,
        Exact("installed::bam::every_byte_is_accounted_for"),
        NotTried,
    ),
    row(
        "`LUA_EXTRASPACE` of 0 to 200 bytes, Lua 5.1 to 5.5",
        Exact("engines::exact_however_it_is_built"),
        Exact("heaps::exact_however_it_is_built"),
        NotTried,
    ),
    row(
        "`LUA_32BITS`, float numbers",
        Exact("engines::narrow_numbers"),
        Exact("heaps::exact_however_it_is_built"),
        NotTried,
    ),
    row(
        "compiled as C++, Lua 5.1, 5.3 and 5.4",
        Exact("engines::compiled_as_cpp"),
        Exact("heaps::exact_however_it_is_built"),
        NotTried,
    ),
    row(
        "long double numbers",
        Otherwise(
            "refused: said at `require`",
            "engines::numbers_that_nobody_knows",
        ),
        NotTried,
        NotTried,
    ),
    row(
        "changed structures",
        Otherwise("portable", "engines::unknown_layouts"),
        Otherwise("refused: which Lua it is", "refusals::unknown_layouts"),
        NotTried,
    ),
    row(
        "LuaJIT with 32-bit references (`LUAJIT_DISABLE_GC64`)",
        Exact("engines::exact_in_builds_of_luajit"),
        Exact("heaps::builds_of_luajit_are_known_by_their_own_layout"),
        Exact("cores::with_references_of_32_bits"),
    ),
    row(
        "LuaJIT without FFI, without its compiler, with table bump",
        Exact("engines::exact_in_builds_of_luajit"),
        Exact("heaps::builds_of_luajit_are_known_by_their_own_layout"),
        NotTried,
    ),
    row(
        "Debian's Lua 5.1",
        Exact("engine::lua51"),
        Exact("installed::lua51"),
        NotTried,
    ),
    row(
        "Debian's Lua 5.2",
        Exact("engine::lua52"),
        Exact("installed::lua52"),
        NotTried,
    ),
    row(
        "Debian's Lua 5.3",
        Exact("engine::lua53"),
        Exact("installed::lua53"),
        NotTried,
    ),
    row(
        "Debian's Lua 5.4",
        Exact("engine::lua54"),
        Exact("installed::lua54"),
        NotTried,
    ),
    row(
        "Debian's LuaJIT",
        Exact("engine::luajit"),
        Exact("installed::luajit"),
        NotTried,
    ),
    row(
        "Debian's Neovim",
        Exact("engine::nvim"),
        Exact("installed::nvim::what_a_script_holds"),
        NotTried,
    ),
    row(
        "Debian's nginx (OpenResty's LuaJIT)",
        Exact("engine::nginx"),
        Exact("installed::nginx::what_it_holds_under_load"),
        NotTried,
    ),
    row(
        "Debian's Prosody",
        Exact("engine::prosody"),
        Exact("installed::prosody::what_a_script_holds"),
        NotTried,
    ),
    row(
        "Debian's HAProxy",
        NotTried,
        Exact("installed::haproxy::what_a_task_holds"),
        NotTried,
    ),
    row(
        "Debian's Redis",
        NotTried,
        Exact("installed::redis::what_scripts_and_libraries_hold"),
        NotTried,
    ),
    row(
        "Debian's tarantool",
        Exact("engine::tarantool"),
        Exact("installed::jit_forks::tarantool"),
        NotTried,
    ),
    row(
        "Debian's texluajit",
        NotTried,
        Exact("installed::jit_forks::texluajit"),
        NotTried,
    ),
    row(
        "models of skynet's Lua 5.4.7 and 5.5.0",
        Exact("skynet::services_capture_themselves_while_others_work"),
        Exact("skynet::services_are_read_exactly_and_by_their_names"),
        Exact("skynet::services_are_read_from_a_core_file"),
    ),
    row(
        "a program that is linked statically, with glibc",
        Otherwise(
            "refused: said at `require`",
            "hosts::a_host_that_is_linked_statically",
        ),
        Exact("static_program::is_read::lua54"),
        NotTried,
    ),
    on_aarch64(
        "Debian's Lua 5.1",
        Exact("engine::lua51"),
        Exact("core_file::lua5.1"),
    ),
    on_aarch64(
        "Debian's Lua 5.2",
        Exact("engine::lua52"),
        Exact("core_file::lua5.2"),
    ),
    on_aarch64(
        "Debian's Lua 5.3",
        Exact("engine::lua53"),
        Exact("core_file::lua5.3"),
    ),
    on_aarch64(
        "Debian's Lua 5.4",
        Exact("engine::lua54"),
        Exact("core_file::lua5.4"),
    ),
    on_aarch64(
        "Debian's LuaJIT",
        Exact("engine::luajit"),
        Exact("core_file::luajit"),
    ),
    on_aarch64("Lua 5.5.1", Exact("engines::exact::lua55"), NotTried),
    on_aarch64(
        "LuaJIT 2.1 of luajit-src",
        Exact("engines::exact::luajit"),
        NotTried,
    ),
];

/// What was tried by hand: a Lua, the date, and the result.
pub const BY_HAND: &[(&str, &str, &str)] = &[
    (
        "Lua 5.1, 5.1.1, 5.2.0 to 5.2.3, 5.3.0 to 5.3.4, 5.4.5",
        TRIED,
        "in-process and attach: exact",
    ),
    (
        "LuaJIT 2.0 of its branch's end; LuaJIT 2.1 of 2026 without GC64",
        TRIED,
        "in-process and attach: exact",
    ),
    (
        "moonjit 2.2; Tarantool's LuaJIT of 2026 without GC64",
        TRIED,
        "in-process and attach: exact",
    ),
    (
        "skynet 1.8.0, and its head of 2026-06: a node of 15 services",
        TRIED,
        "in-process and attach: exact, all services, by their names",
    ),
    (
        "skynet 1.2.0 and 1.3.0 (5.3, changed), 1.4.0 (5.4.2, changed)",
        TRIED,
        "in-process: portable, `engine_reason` says why; attach: refused in a sentence",
    ),
    (
        "LuaJIT 2.1 of 2026 with `LUAJIT_USE_GDBJIT`",
        TRIED,
        "in-process: portable; attach: refused in a sentence. It has memory for the debugger that is on no list",
    ),
    (
        "Ravi of 2025-02 (its values have tags of 16 bits), without its compiler",
        TRIED,
        "in-process: portable; attach: refused by its name",
    ),
];

const TRIED: &str = "2026-11-30";
