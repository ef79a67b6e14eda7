//! The two engines against each other: on random programs (`programs.lua`), and at the end of each
//! golden script. The module `compare` (`examples/compare.rs`) captures by both at one moment, and
//! says in what their `objects` views differ.

use luasnap_hosts::{Host, Options, Run, Vm};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

/// A folder with `compare.so`, which cargo builds with the other examples of this package.
fn modules() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let target = test
        .parent()
        .and_then(Path::parent)
        .expect("cargo's folders");
    let library = target.join("examples/libcompare.so");
    assert!(
        library.exists(),
        "{} is missing: `cargo build -p snapshot --example compare` makes it",
        library.display()
    );
    let folder = target.join("examples/lua-modules");
    fs::create_dir_all(&folder).expect("a folder");
    let (fresh, link) = (
        folder.join(format!("{:?}", thread::current().id())),
        "compare.so",
    );
    let _ = fs::remove_file(&fresh);
    std::os::unix::fs::symlink(&library, &fresh).expect("a link");
    fs::rename(fresh, folder.join(link)).expect("a link");
    folder
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
    assert!(
        run.status.success() && run.stderr.is_empty(),
        "{host:?}: {run}"
    );
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let count = said.split_whitespace().next().unwrap_or_default();
    assert_eq!(count, (last - first + 1).to_string(), "{host:?}: {said}");
}

/// What is run again and again.
fn some(vm: Vm) {
    agree_on_programs(Host::Plain(vm), 1, 200);
    // In a checked 5.1 the portable engine has to go without what only extra arguments hold.
    if vm != Vm::Lua51 {
        agree_on_programs(Host::Checked(vm), 201, 220);
    }
}

/// What is run before a change lands.
fn a_thousand(vm: Vm) {
    for first in (1001..2001).step_by(250) {
        agree_on_programs(Host::Plain(vm), first, first + 249);
    }
}

/// At the end of each golden script the engines agree.
fn on_golden_scripts(vm: Vm) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut count = 0;
    for entry in golden.read_dir().expect("the scripts").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "lua") {
            continue;
        }
        count += 1;
        let script = fs::read_to_string(&path).expect("a script");
        // The script's own globals stay; the module that it asks for is another one here.
        let source = format!(
            "local compare = require 'compare'
             package.loaded.snapshot = setmetatable({{}}, {{ __index = function()
               return function() return setmetatable({{}}, {{ __index = function()
                 return function() end end }}) end end }})
             local run = assert((loadstring or load)({script:?}, '=golden'))
             pcall(run)
             local differences = compare.differences()
             if differences then error(differences, 0) end"
        );
        let run = run(Host::Plain(vm), &source, &[]);
        assert!(run.status.success(), "{}: {run}", path.display());
    }
    assert!(count >= 6, "{count} scripts");
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
                super::on_golden_scripts(Vm::$vm);
            }
            #[test]
            #[ignore = "takes a minute: .ci/run asks for it"]
            fn a_thousand_programs() {
                super::a_thousand(Vm::$vm);
            }
        })*
    };
}

each_vm! {
    Lua51 lua51  Lua52 lua52  Lua53 lua53  Lua54 lua54  Lua55 lua55  LuaJit luajit
}
