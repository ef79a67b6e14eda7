//! Who can read the files that luasnap writes, and that nothing is left of unfinished ones.

use crate::files::run_in;
use crate::program::{LUASNAP, Ran, luasnap, output};
use luasnap_hosts::Vm;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A folder with a snapshot, and an empty folder for output.
fn folder(tables: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    let script = format!(
        "t = {{}} for i = 1, {tables} do t[i] = {{ i, tostring(i) }} end
         local s = require 'snapshot' s.save(s.snapshot(), 'big.luasnap')"
    );
    run_in(Vm::Lua54, &script, folder.path());
    folder
}

fn call(folder: &Path, words: &[&str]) -> Ran {
    let mut command = luasnap(folder);
    command.args(words);
    output(command, "")
}

/// Starts a Lua that waits for a line.
fn waiting_lua(folder: &Path) -> Child {
    let script = folder.join("waiting.lua");
    fs::write(&script, "print 'ready' io.stdout:flush() io.read()").unwrap();
    let mut lua = Command::new(Vm::Lua54.interpreter());
    let mut child = lua
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = child.stdout.as_mut().unwrap();
    BufReader::new(out).read_line(&mut String::new()).unwrap();
    child
}

#[test]
fn files_of_heaps_are_for_their_owner_alone() {
    let folder = folder(10);
    let folder = folder.path();
    fs::write(folder.join("script.lua"), "password = 'secret'").unwrap();
    let ran = call(
        folder,
        &["run", "-q", "--save", "run.luasnap", "script.lua"],
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    let words = ["run", "-q", "--every", "1h", "--save", "many", "script.lua"];
    assert_eq!(call(folder, &words).code, Some(0));
    let many = folder.join("many").join(&names(&folder.join("many"))[0]);
    for to in ["heapsnapshot", "json", "json-indented", "text"] {
        let ran = call(folder, &["export", "big.luasnap", "--to", to, "-o", to]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        assert_eq!(mode(&folder.join(to)), 0o600, "{to}");
    }
    for path in [many, folder.join("run.luasnap"), folder.join("big.luasnap")] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn the_eleven_functions_leave_it_to_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("any"), "").unwrap();
    for vm in Vm::ALL {
        let script = "local s = require 'snapshot'
            s.to_file(s.snapshot(), 'text.txt') s.to_jsonfile(s.snapshot(), 'json.json')
            s.to_jsonfilefmt(s.snapshot(), 'indented.json')
            s.save(s.snapshot(), 'save.luasnap') s.save(s.snapshot(), 'sync.luasnap', {sync = true})";
        run_in(vm, script, folder.path());
        for (name, expected) in [
            ("text.txt", mode(&folder.path().join("any"))),
            ("json.json", mode(&folder.path().join("any"))),
            ("indented.json", mode(&folder.path().join("any"))),
            ("save.luasnap", 0o600),
            ("sync.luasnap", 0o600),
        ] {
            let path = folder.path().join(name);
            assert_eq!(mode(&path), expected, "{vm:?}: {name}");
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_file_that_others_can_read_stays_so_with_a_warning() {
    let folder = folder(10);
    let folder = folder.path();
    fs::write(folder.join("script.lua"), "").unwrap();
    for (before, after, warns) in [
        (0o644, 0o644, true),
        (0o4755, 0o755, true),
        (0o600, 0o600, false),
    ] {
        for words in [
            &["export", "big.luasnap", "-o", "file"][..],
            &["run", "-q", "--save", "file", "script.lua"],
        ] {
            let file = folder.join("file");
            fs::write(&file, "").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(before)).unwrap();
            let ran = call(folder, words);
            assert_eq!((ran.code, mode(&file)), (Some(0), after), "{ran:#?}");
            let warning =
                format!("luasnap: warning: 'file' keeps its mode {after:o}, by which others");
            let expected = if warns { warning.as_str() } else { "" };
            assert!(ran.stderr.starts_with(expected), "{ran:#?}");
            assert_eq!(ran.stderr.is_empty(), !warns, "{ran:#?}");
        }
    }
}

/// It keeps its mode, but has no heap in it.
#[test]
fn of_a_file_that_could_not_be_written_no_mode_is_told() {
    let folder = folder(10_000);
    let folder = folder.path();
    let script = "t = {} for i = 1, 30000 do t[i] = {tostring(i)} end";
    fs::write(folder.join("script.lua"), script).unwrap();
    fs::write(folder.join("file"), "older").unwrap();
    fs::set_permissions(folder.join("file"), Permissions::from_mode(0o644)).unwrap();
    for words in [
        "run -q --save file script.lua",
        "export big.luasnap -o file",
    ] {
        let line = format!("ulimit -f 8; exec \"$0\" {words}");
        let mut command = Command::new("sh");
        command.current_dir(folder).args(["-c", &line, LUASNAP]);
        let ran = output(command, "");
        let expected = "luasnap: cannot write 'file': File too large\n";
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(125), expected),
            "{words}"
        );
        assert_eq!(fs::read_to_string(folder.join("file")).unwrap(), "older");
    }
}

/// Whether a process has an output file in that folder open: with a name, or without one.
fn writes_in(process: u32, folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    entries
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|path| path.starts_with(folder))
}

/// Starts `luasnap export`, and sends the signals while it writes.
fn interrupted(command: &mut Command, folder: &Path, signals: &[&str]) -> Option<i32> {
    let out = folder.join("out").canonicalize().unwrap();
    let mut child = command
        .current_dir(folder)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !writes_in(child.id(), &out) && names(&out).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it was too quick");
    }
    for signal in ["STOP"].iter().chain(signals).chain(&["CONT"]) {
        let words = ["-s", signal, &child.id().to_string()];
        assert!(Command::new("kill").args(words).status().unwrap().success());
    }
    child.wait().unwrap().signal()
}

#[test]
fn nothing_is_left_of_a_file_that_was_not_finished() {
    let folder = folder(300_000);
    for (signal, number) in [
        ("INT", 2),
        ("TERM", 15),
        ("HUP", 1),
        ("QUIT", 3),
        ("KILL", 9),
    ] {
        let mut command = Command::new(LUASNAP);
        command.args(["export", "big.luasnap", "-o", "out/x.heapsnapshot"]);
        let ended_by = interrupted(&mut command, folder.path(), &[signal]);
        assert_eq!(ended_by, Some(number), "{signal}");
        let left = names(&folder.path().join("out"));
        assert!(left.is_empty(), "{signal}: {left:?}");
    }
}

#[test]
fn a_limit_for_the_size_of_files_is_an_error_like_others() {
    let folder = folder(10_000);
    let limited = |words: &str| {
        let mut command = Command::new("sh");
        command.current_dir(folder.path()).args([
            "-c",
            &format!("ulimit -f 8; exec \"$0\" {words}"),
            LUASNAP,
        ]);
        output(command, "")
    };
    fs::write(
        folder.path().join("script.lua"),
        "t = {} for i = 1, 30000 do t[i] = {tostring(i)} end",
    )
    .unwrap();
    for words in [
        "export big.luasnap -o out/file",
        "run -q --save out/file script.lua",
        "export big.luasnap > out/direct",
    ] {
        let ran = limited(words);
        assert_eq!(ran.code, Some(125), "{words}: {ran:#?}");
        assert!(
            ran.stderr.ends_with(": File too large\n"),
            "{words}: {ran:#?}"
        );
    }
    assert_eq!(names(&folder.path().join("out")), ["direct"]);
}

#[test]
fn a_limit_for_the_size_of_files_ends_no_host() {
    let folder = tempfile::tempdir().unwrap();
    let script = "
        local s = require 'snapshot'
        t = {} for i = 1, 30000 do t[i] = {tostring(i)} end
        local taken = s.snapshot()
        for _, write in ipairs{'save', 'to_file', 'to_jsonfile', 'to_jsonfilefmt'} do
            print(write, pcall(s[write], taken, 'file'))
        end";
    fs::write(folder.path().join("script.lua"), script).unwrap();
    for vm in Vm::ALL {
        let mut command = Command::new("sh");
        let module = crate::program::module();
        command
            .current_dir(folder.path())
            .env("LUA_CPATH", module.with_file_name("lib?.so"))
            .args(["-c", "ulimit -f 8; exec \"$0\" script.lua"])
            .arg(vm.interpreter());
        let ran = output(command, "");
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{vm:?}: {ran:#?}"
        );
        assert_eq!(
            ran.stdout
                .matches("cannot write 'file': File too large\n")
                .count(),
            4,
            "{vm:?}: {ran:#?}"
        );
        assert_eq!(names(folder.path()), ["script.lua"], "{vm:?}");
    }
}

/// Some tests need another owner's files, or a small disk.
fn is_root() -> bool {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        eprintln!("SKIPPED: this test needs root");
    }
    is_root
}

/// Without `/proc` a file cannot be given a name later, so it has one from the start.
#[test]
#[ignore = "needs root"]
fn nothing_is_left_of_a_file_with_a_name_either() {
    if !is_root() {
        return;
    }
    let folder = folder(300_000);
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c"]).arg(format!(
            "mount -t tmpfs none /proc && exec {LUASNAP} export big.luasnap -o out/x.heapsnapshot"
        ));
        let ended_by = interrupted(&mut command, folder.path(), &[signal]);
        assert_eq!(ended_by, Some(number), "{signal}");
        let left = names(&folder.path().join("out"));
        assert!(left.is_empty(), "{signal}: {left:?}");
    }
}

/// A user that owns nothing of ours.
const NOBODY: u32 = 65534;

#[test]
#[ignore = "needs root"]
fn the_permissions_of_somebody_else_s_file_are_none_for_ours() {
    if !is_root() {
        return;
    }
    let folder = folder(10);
    let out = folder.path().join("out");
    fs::set_permissions(&out, Permissions::from_mode(0o1777)).unwrap();
    let file = out.join("file");
    let mut lua = waiting_lua(folder.path());
    let process = lua.id().to_string();
    for words in [
        &["export", "big.luasnap", "-o", "out/file"][..],
        &["attach", &process, "-o", "out/file"],
    ] {
        fs::write(&file, "").unwrap();
        std::os::unix::fs::chown(&file, Some(NOBODY), None).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o4777)).unwrap();
        let ran = call(folder.path(), words);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        let metadata = fs::metadata(&file).unwrap();
        assert_eq!((metadata.uid(), mode(&file)), (0, 0o600), "{ran:#?}");
        assert!(!ran.stderr.contains("warning"), "{ran:#?}");
        fs::remove_file(&file).unwrap();
    }
    lua.kill().unwrap();
    lua.wait().unwrap();
}

#[test]
#[ignore = "needs root"]
fn what_may_not_be_replaced_stays_and_nothing_else_does() {
    if !is_root() {
        return;
    }
    let folder = folder(10);
    let out = folder.path().join("out");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(
        folder.path().join("big.luasnap"),
        Permissions::from_mode(0o644),
    )
    .unwrap();
    // The program itself may be in a folder that other users cannot enter.
    let luasnap = folder.path().join("luasnap");
    // By another process: one that this one forks meanwhile would have the copy open for writing, which nobody may run.
    let copied = Command::new("cp")
        .args([LUASNAP.as_ref(), luasnap.as_path()])
        .status();
    assert!(copied.unwrap().success());
    let write = |to: &str| {
        let mut command = Command::new(&luasnap);
        command
            .current_dir(folder.path())
            .uid(NOBODY)
            .args(["export", "big.luasnap", "-o", to]);
        output(command, "")
    };
    fs::write(out.join("file"), "older").unwrap();
    fs::set_permissions(out.join("file"), Permissions::from_mode(0o666)).unwrap();
    // The user may write to the file, but not into its folder; or into its folder, but not replace
    // the file.
    for (mode, reason) in [
        (0o755, "Permission denied"),
        (0o1777, "Operation not permitted"),
    ] {
        fs::set_permissions(&out, Permissions::from_mode(mode)).unwrap();
        let ran = write("out/file");
        assert_eq!(ran.code, Some(125), "{ran:#?}");
        assert!(ran.stderr.ends_with(&format!(": {reason}\n")), "{ran:#?}");
        assert_eq!(fs::read_to_string(out.join("file")).unwrap(), "older");
        assert_eq!(names(&out), ["file"]);
    }
    // In a folder writable by all, somebody else's link is not followed.
    let own = out.join("own");
    std::os::unix::fs::symlink("../root", &own).unwrap();
    std::os::unix::fs::lchown(&own, Some(NOBODY), None).unwrap();
    std::os::unix::fs::chown(&out, Some(NOBODY - 1), None).unwrap();
    let ran = call(folder.path(), &["export", "big.luasnap", "-o", "out/own"]);
    assert_eq!(ran.code, Some(125), "{ran:#?}");
    assert!(ran.stderr.ends_with(": Permission denied\n"), "{ran:#?}");
    assert!(!folder.path().join("root").exists());
}

#[test]
#[ignore = "needs root"]
fn a_full_disk_costs_no_older_file() {
    if !is_root() {
        return;
    }
    let folder = folder(10_000);
    let small = |command: &str| {
        let script = format!(
            "mount -t tmpfs -o size=64k none out && echo older > out/file && {command}; \
             code=$?; cat out/file; ls -A out; exit $code"
        );
        let mut unshare = Command::new("unshare");
        unshare
            .current_dir(folder.path())
            .args(["-m", "sh", "-c", &script]);
        output(unshare, "")
    };
    let ran = small(&format!("{LUASNAP} export big.luasnap -o out/file"));
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(125), "older\nfile\n"),
        "{ran:#?}"
    );
    let expected = "luasnap: cannot write 'out/file': No space left on device\n";
    assert!(ran.stderr.ends_with(expected), "{ran:#?}");
}

#[test]
#[ignore = "needs root, and strace"]
fn the_disk_has_a_file_before_it_takes_its_place() {
    if !is_root() {
        return;
    }
    let folder = folder(10);
    let traced = |command: &[&str]| {
        let mut strace = Command::new("strace");
        strace
            .current_dir(folder.path())
            .args([
                "-f",
                "-e",
                "trace=fsync,fdatasync,rename,renameat,renameat2,linkat",
            ])
            .args(command);
        let ran = output(strace, "");
        let calls = ran.stderr.lines().filter(|line| line.ends_with("= 0"));
        calls
            .map(|line| {
                line.split('(')
                    .next()
                    .unwrap()
                    .rsplit(' ')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    let export = [LUASNAP, "export", "big.luasnap", "-o", "out/file"];
    assert_eq!(traced(&export), ["fsync", "linkat", "fsync"]);
    let [synced, linked, renamed, folder_synced] = &traced(&export)[..] else {
        panic!("not four calls")
    };
    assert_eq!(
        [synced, linked, folder_synced],
        ["fsync", "linkat", "fsync"]
    );
    assert!(renamed.starts_with("rename"), "{renamed}");
}
