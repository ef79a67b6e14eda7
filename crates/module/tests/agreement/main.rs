//! The two engines against each other: on random programs (`programs.lua`), and in the golden
//! scripts. The module `compare` (`examples/compare.rs`) captures with both at the same moment, and
//! reports the differences between their `objects` views.

use luasnap_hosts::{
    Host, Options, Run, Vm, jit_builds, jit_with_narrow_references, older_releases,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;

/// A folder with `compare.so` and `snapshot.so`, which cargo builds with this test.
fn modules() -> &'static Path {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let test = std::env::current_exe().expect("the test's own path");
        let beside = test.parent().expect("a file has a folder");
        let snapshot = beside.join("libsnapshot.so");
        let compare = beside.with_file_name("examples").join("libcompare.so");
        assert!(
            compare.exists(),
            "{} is missing: `cargo test` without `--test` makes it",
            compare.display()
        );
        let folder = tempfile::tempdir().expect("a temporary directory");
        symlink(&compare, folder.path().join("compare.so")).expect("a link");
        symlink(&snapshot, folder.path().join("snapshot.so")).expect("a link");
        folder
    });
    FOLDER.path()
}

fn run(host: Host, source: &str, args: &[String]) -> Run {
    let options = Options {
        args: args.iter().map(Into::into).collect(),
        ..Options::modules(modules())
    };
    host.run(source, &options)
}

/// Runs the programs with seeds `first` to `last`; each compares the engines several times.
#[track_caller]
fn agree_on_programs(host: Host, first: u32, last: u32) {
    let args = [first.to_string(), last.to_string()];
    let run = run(host, include_str!("programs.lua"), &args);
    assert!(run.status.success(), "{host:?}: {run}");
    assert!(run.stderr.is_empty(), "{host:?}: {run}");
    let said = String::from_utf8_lossy(&run.stdout);
    let numbers: Vec<u32> = said
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [programs, comparisons] = numbers[..] else {
        panic!("{host:?}: {said}");
    };
    assert_eq!(programs, last - first + 1, "{host:?}");
    assert!(comparisons > 5 * programs, "{host:?}: {said}");
}

/// Does the same in two processes at once. A machine has at least two processors, and tests of
/// several VMs run in parallel anyway.
fn agree_in_parts(host: Host, first: u32, last: u32) {
    let middle = first.midpoint(last);
    thread::scope(|scope| {
        scope.spawn(move || agree_on_programs(host, first, middle));
        agree_on_programs(host, middle + 1, last);
    });
}

/// The programs of every test run.
fn some(vm: Vm) {
    agree_in_parts(Host::Plain(vm), 1, 200);
    // In a checked 5.1 the portable engine does not see what only extra arguments hold.
    if vm != Vm::Lua51 {
        agree_on_programs(Host::Checked(vm), 201, 250);
    }
}

/// The programs run before a change lands: a thousand more.
fn a_thousand(vm: Vm) {
    for first in (1001..2001).step_by(250) {
        agree_in_parts(Host::Plain(vm), first, first + 249);
    }
}

/// Compares before each capture of an object in a golden script, and at its end.
fn in_golden_scripts(vm: Vm) {
    // On the script's first line, so that line numbers stay the same.
    const BEFORE: &str = "\
        local compare, snapshot = require 'compare', require 'snapshot' \
        local captures, capture = 0, snapshot.snapshot \
        function snapshot.snapshot(...) \
            if select('#', ...) > 0 then \
                captures = captures + 1 \
                local differences = compare.differences(...) \
                if differences then error(differences, 0) end \
            end \
            return capture(...) \
        end ";
    const AFTER: &str = "
        collectgarbage() collectgarbage() -- no finalizer is to be pending
        local differences = compare.differences()
        if differences then error(differences, 0) end
        assert(captures > 0)";
    for script in golden_scripts() {
        let text = fs::read_to_string(&script).expect("a script");
        let narrow = (vm == Vm::LuaJit)
            .then(jit_with_narrow_references)
            .flatten();
        for host in [Host::Plain(vm), Host::Checked(vm)]
            .into_iter()
            .chain(narrow)
        {
            let run = run(host, &format!("{BEFORE}{text}{AFTER}"), &[]);
            let succeeded = run.status.success() && run.stderr.is_empty();
            assert!(succeeded, "{host:?}: {}: {run}", script.display());
        }
    }
}

fn golden_scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = folder.read_dir().expect("the scripts");
    let scripts: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "lua"))
        .collect();
    assert!(!scripts.is_empty());
    scripts
}

#[test]
fn programs_in_older_releases() {
    for release in older_releases() {
        agree_on_programs(Host::Older(release), 1, 20);
    }
}

#[test]
fn programs_in_builds_of_luajit() {
    for name in jit_builds() {
        agree_on_programs(Host::Jit(name), 1, 40);
    }
}

macro_rules! each_vm {
    ($($vm:ident $name:ident)*) => {
        $(mod $name {
            use luasnap_hosts::Vm;

            #[test]
            fn programs() {
                super::some(Vm::$vm);
            }

            #[test]
            fn golden_scripts() {
                super::in_golden_scripts(Vm::$vm);
            }

            #[test]
            #[ignore = "takes minutes"]
            fn a_thousand_programs() {
                super::a_thousand(Vm::$vm);
            }
        })*
    };
}

each_vm! {
    Lua51 lua51  Lua52 lua52  Lua53 lua53  Lua54 lua54  Lua55 lua55  LuaJit luajit
}
