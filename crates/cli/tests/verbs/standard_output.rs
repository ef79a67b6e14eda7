//! Snapshots on standard output: nothing else goes there then.

use crate::program::{LUASNAP, luasnap};
use crate::target::Target;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a shell command with `$luasnap`; returns its standard error.
#[track_caller]
fn shell(folder: &Path, line: &str) -> String {
    let mut bash = Command::new("bash");
    bash.current_dir(folder)
        .env("luasnap", LUASNAP)
        .args(["-o", "pipefail", "-c", line]);
    let ran = bash.output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{line}: {said}");
    assert!(ran.stdout.is_empty(), "{line}: {:?}", ran.stdout);
    said
}

/// Checks that a file is a whole snapshot, with nothing behind it.
#[track_caller]
fn is_snapshot(folder: &Path, file: &str) {
    let len = fs::metadata(folder.join(file)).unwrap().len();
    let mut info = luasnap(folder);
    let info = info.args(["info", "--json", file]).output().unwrap();
    assert!(info.status.success(), "{file}: {info:?}");
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!(info["file_bytes"], len, "{file}");
    fs::remove_file(folder.join(file)).unwrap();
}

#[test]
fn a_process_s_snapshot_is_alone_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "t = { { 'one' }, { 'two' } }", &[]);
    let id = target.id();
    for line in [
        "\"$luasnap\" attach ID -o /dev/stdout > file",
        "\"$luasnap\" attach ID -o /dev/stdout >> file",
        "\"$luasnap\" attach ID -o /dev/stdout | cat > file",
        "\"$luasnap\" attach ID -o /proc/self/fd/1 > file",
        "\"$luasnap\" attach ID -o /dev/fd/1 > file",
        "\"$luasnap\" attach ID -o file > file",
    ] {
        let said = shell(folder.path(), &line.replace("ID", &id));
        assert!(said.contains(": state 0x"), "{line}: {said}");
        // The last one is an existing file, which others can read.
        assert_eq!(said.contains("warning"), line.contains("-o file"), "{said}");
        is_snapshot(folder.path(), "file");
    }
    // Output to /dev/null does not count as standard output.
    let line = format!("\"$luasnap\" attach {id} -o /dev/null > /dev/null");
    let said = shell(folder.path(), &line);
    assert!(!said.contains("state 0x"), "{said}");
    target.finish();
}

#[test]
fn a_script_s_snapshot_is_alone_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.lua"), "t = { { 'one' } }").unwrap();
    for to in ["> file", ">> file", "| cat > file"] {
        let line = format!("\"$luasnap\" run --save /dev/stdout script.lua {to}");
        let said = shell(folder.path(), &line);
        assert!(
            said.starts_with("\n--- luasnap: what script.lua left behind ---\n"),
            "{line}: {said}"
        );
        assert!(!said.contains("mode"), "{line}: {said}");
        is_snapshot(folder.path(), "file");
    }
}

/// The script and the snapshot share one file offset: neither is overwritten.
#[test]
fn a_snapshot_comes_behind_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let script = "io.write 'printed' t = { { 'one' } }";
    fs::write(folder.path().join("script.lua"), script).unwrap();
    let run = "\"$luasnap\" run -q --save /dev/stdout script.lua";
    let line = format!("(echo before; {run}; echo behind) > file");
    shell(folder.path(), &line);
    let file = fs::read(folder.path().join("file")).unwrap();
    assert!(file.starts_with(b"before\nprinted"), "{file:?}");
    assert!(file.ends_with(b"behind\n"), "{file:?}");
    let snapshot = &file[b"before\nprinted".len()..file.len() - b"behind\n".len()];
    fs::write(folder.path().join("file"), snapshot).unwrap();
    is_snapshot(folder.path(), "file");
}
