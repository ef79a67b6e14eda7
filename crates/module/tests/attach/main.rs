//! What is found in a process from outside matches its own snapshot from inside.

use luasnap_capture::process::{AttachOptions, attach};
use luasnap_format::write_text;
use luasnap_heap::Snapshot;
use luasnap_hosts::{Host, Vm, module_dir};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// A host that waits, killed when dropped.
struct Waiting {
    child: Child,
    folder: TempDir,
}

impl Waiting {
    fn start(host: Host) -> Waiting {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        for script in ["attach/script.lua", "lua/zoo.lua", "lua/check.lua"] {
            let script = tests.join(script);
            let name = script.file_name().expect("a name");
            fs::copy(&script, folder.path().join(name)).expect("a copy");
        }
        let test = std::env::current_exe().expect("the test's own path");
        let modules = module_dir(&test.with_file_name("libsnapshot.so"));
        let mut child = host
            .command()
            .arg("script.lua")
            .current_dir(&folder)
            .env("LUA_CPATH", modules.join("?.so"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the host");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
        Waiting { child, folder }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the rows of what the global variable `kept` holds.
fn rows(text: &str) -> Vec<&str> {
    let mut rows: Vec<_> = text.lines().filter(|row| row.contains("kept.")).collect();
    rows.sort_unstable();
    rows
}

fn check(vm: Vm) {
    let waiting = Waiting::start(Host::Plain(vm));
    let inside = fs::read(waiting.folder.path().join("inside.txt")).expect("the rows");
    let inside = String::from_utf8_lossy(&inside).into_owned();
    let mut attached = attach(waiting.child.id(), AttachOptions::default()).unwrap();
    let heap = attached.captures.remove(0).1;
    let snapshot = Snapshot::new(heap.unwrap_or_else(|error| panic!("{error}")));
    let mut outside = Vec::new();
    write_text(&mut outside, &snapshot).unwrap();
    let outside = String::from_utf8_lossy(&outside).into_owned();
    let (inside, outside) = (rows(&inside), rows(&outside));
    assert!(inside.len() > 500, "{}", inside.len());
    for (inside, outside) in inside.iter().zip(&outside) {
        assert_eq!(inside, outside, "{vm:?}");
    }
    assert_eq!(inside.len(), outside.len());
}

macro_rules! each_vm {
    ($($test:ident $vm:ident)*) => {
        $(#[test]
        fn $test() {
            check(Vm::$vm);
        })*
    };
}
each_vm!(lua51 Lua51 lua52 Lua52 lua53 Lua53 lua54 Lua54 lua55 Lua55 luajit LuaJit);
