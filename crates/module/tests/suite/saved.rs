//! What outlives a process: files, which every other Lua reads, and fingerprints.

use crate::support::{ENGINES, directory, environment, modules, output};
use luasnap_hosts::{Host, Options, Vm};
use std::path::Path;

/// Returns what a script prints when it runs in a directory, with arguments.
#[track_caller]
fn printed(vm: Vm, engine: &str, source: &str, dir: &Path, args: &[&str]) -> String {
    let options = Options {
        dir: Some(dir.into()),
        args: args.iter().map(Into::into).collect(),
        env: environment(engine),
        ..Options::modules(modules())
    };
    String::from_utf8(output(Host::Plain(vm).run(source, &options))).expect("text")
}

/// The name of a VM in a file that it wrote.
fn family(vm: Vm) -> String {
    match vm {
        Vm::LuaJit => "LuaJIT".to_owned(),
        _ => format!("Lua {}", vm.name()),
    }
}

/// A file of each Lua reads the same in every other, and snapshots of two VMs are not compared.
fn check_between(engine: &str) {
    let dir = directory();
    let save = "
        local snapshot, name = require 'snapshot', ...
        kept = {list = {{}, {}}, [1.5] = {}, text = 'a text', f = function() end}
        local s = snapshot.snapshot()
        s:save(name)
        s:print()
        print(s:report(), #s, s:path 'kept.list')";
    let load = "
        local snapshot, name = require 'snapshot', ...
        local s = snapshot.load(name)
        s:print()
        print(s:report(), #s, s:path 'kept.list')";
    let compare = "
        local snapshot, name, vm = require 'snapshot', ...
        local live, loaded = snapshot.snapshot(), snapshot.load(name)
        print(select(2, pcall(snapshot.growth, live, loaded)))
        print(select(2, pcall(snapshot.growth, loaded, live, live)))";
    for writer in Vm::ALL {
        let said = printed(writer, engine, save, dir.path(), &["other.luasnap"]);
        assert!(said.contains("kept.list"), "{said}");
        for reader in Vm::ALL.into_iter().filter(|&reader| reader != writer) {
            let read = printed(reader, engine, load, dir.path(), &["other.luasnap"]);
            assert_eq!(
                read, said,
                "{engine}, {reader:?} reads what {writer:?} wrote"
            );
            let (theirs, ours) = (family(writer), family(reader));
            let compared = printed(reader, engine, compare, dir.path(), &["other.luasnap"]);
            let refusal = |a: &str, b: &str| {
                format!(
                    "snapshot 1 is of {a}, snapshot 2 of {b}: their objects and sizes cannot be \
                     compared\n"
                )
            };
            assert_eq!(compared, refusal(&ours, &theirs) + &refusal(&theirs, &ours));
        }
    }
}

#[test]
fn files_between_luas_by_the_native_engine() {
    check_between("native");
}

#[test]
fn files_between_luas_by_the_portable_engine() {
    check_between("portable");
}

/// A recorded fingerprint is valid in the next run as well, though all addresses differ and there
/// are other objects besides.
fn check_fingerprints(vm: Vm, _: &str) {
    let source = "
        local snapshot = require 'snapshot'
        for i = 1, tonumber((...)) do _G['junk' .. i] = {{}, function() return i end} end
        local Player = {__name = 'Player'}
        server = {sessions = {}, callbacks = {}, names = {}}
        local function serve()
            local n = #server.sessions + 1
            local text = 'text of ' .. n
            server.sessions[n] = {name = text, items = {{}}, player = setmetatable({}, Player)}
            server.callbacks[n] = function() return server, text end
            server.names['name of ' .. n] = coroutine.create(serve)
        end
        for i = 1, 30 do serve() end
        local a = snapshot.snapshot()
        serve()
        local b = snapshot.snapshot()
        serve()
        local grown = a:growth(b, snapshot.snapshot())
        for _, row in ipairs(grown.growing) do print(row.type, row.name, row.fingerprint) end
        for _, suspect in ipairs(grown.suspects) do print(suspect.point, suspect.fingerprint) end
        for _, row in ipairs(b:top {by = 'class', n = 100}) do print(row.name, row.fingerprint) end
        print(select(2, pcall(snapshot.check, serve)))";
    let dir = directory();
    for engine in ENGINES {
        let [first, second] =
            ["0", "1000"].map(|junk| printed(vm, engine, source, dir.path(), &[junk]));
        for name in ["Player", "_G.server.sessions.[*].items", "script.lua:10"] {
            assert!(first.contains(name), "{vm:?}, {engine}: {first}");
        }
        assert!(first.lines().count() > 20, "{first}");
        assert_eq!(first, second, "{vm:?}, {engine}");
    }
}
crate::each_vm!(super::check_fingerprints: fingerprints);
