//! The path of the module, and how scripts are run with it.

use luasnap_hosts::{Host, Options, Run, Vm, jit_with_narrow_references, module_dir};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory with the module that cargo built for this run. It is next to the test: cargo copies
/// it elsewhere only in `cargo build`, so other places may have an older one.
pub fn modules() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().expect("a file has a folder");
    module_dir(&folder.join("libsnapshot.so"))
}

/// The folder with the tests and their scripts.
pub fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a fresh directory to run in, with the scripts' shared code in it.
pub fn directory() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let check = tests().join("lua/check.lua");
    fs::copy(&check, dir.path().join("check.lua")).expect("a copy of check.lua");
    dir
}

/// Runs a Lua source that can require the module and `check`.
pub fn run(host: Host, source: &str) -> Run {
    run_in(host, source, directory().path())
}

/// Runs a Lua source in a directory of the caller's.
pub fn run_in(host: Host, source: &str, dir: &Path) -> Run {
    let options = Options {
        dir: Some(dir.into()),
        ..Options::modules(modules())
    };
    host.run(source, &options)
}

/// The engines, by their names in `LUASNAP_ENGINE`.
pub const ENGINES: [&str; 2] = ["native", "portable"];

/// The environment that makes an engine be used.
pub fn environment(engine: &str) -> Vec<(&'static str, OsString)> {
    vec![("LUASNAP_ENGINE", engine.into())]
}

/// Runs a Lua source with one engine.
pub fn run_by(engine: &str, host: Host, source: &str) -> Run {
    let dir = directory();
    let options = Options {
        dir: Some(dir.path().into()),
        env: environment(engine),
        ..Options::modules(modules())
    };
    host.run(source, &options)
}

/// Returns what a run printed. It must have succeeded with nothing on standard error.
#[track_caller]
pub fn output(run: Run) -> Vec<u8> {
    assert!(run.status.success() && run.stderr.is_empty(), "{run}");
    run.stdout
}

/// The plain and the checked interpreter, and LuaJIT with references of 32 bits as well.
pub fn interpreters(vm: Vm) -> Vec<Host> {
    let mut all = vec![Host::Plain(vm), Host::Checked(vm)];
    if vm == Vm::LuaJit {
        all.extend(jit_with_narrow_references());
    }
    all
}

/// A test for each VM, in a module for each name: `each_vm!(check: one two)` makes the tests
/// `one::lua51` to `two::luajit`, which call `check(vm, "one")` and so on.
#[macro_export]
macro_rules! each_vm {
    ($check:path: $($name:ident)*) => {
        $(mod $name {
            $crate::each_vm!(@ $check, stringify!($name);
                lua51 Lua51, lua52 Lua52, lua53 Lua53, lua54 Lua54, lua55 Lua55, luajit LuaJit);
        })*
    };
    (@ $check:path, $name:expr; $($test:ident $vm:ident),*) => {
        $(#[test]
        fn $test() {
            $check(luasnap_hosts::Vm::$vm, $name);
        })*
    };
}
