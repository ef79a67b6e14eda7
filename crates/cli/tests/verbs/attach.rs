//! `attach` and `core`, with programs that do not use luasnap.

use crate::program::{Ran, luasnap as program, output};
use crate::target::Target;
use crate::thirty_two_bit;
use std::path::Path;
use std::process::Command;

fn luasnap(folder: &Path, words: &[&str]) -> Ran {
    let mut command = program(folder);
    command.args(words);
    output(command, "")
}

const SCRIPT: &str = "
    Player = { __name = 'Player' }
    sessions = {}
    for i = 1, 1000 do sessions['player' .. i] = setmetatable({ id = i }, Player) end
    local parked = coroutine.wrap(function() local kept = { 'kept' } coroutine.yield() return kept end)
    parked()
    held = parked";

#[test]
fn a_running_program_is_read_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), SCRIPT, &[]);
    let id = target.id();

    let attached = luasnap(folder.path(), &["attach", &id, "-o", "first.luasnap"]);
    assert_eq!(attached.code, Some(0), "{attached:?}");
    assert!(
        attached.stderr.contains("the process stood still for "),
        "{attached:?}"
    );
    let said = &attached.stdout;
    let (line, answer) = said.split_once("\n\n").unwrap();
    assert!(line.starts_with("first.luasnap: state 0x"), "{said}");
    assert!(!line.contains("unaccounted"), "{said}");
    // What it says of the snapshot is what `top` says of the file.
    let words = ["top", "first.luasnap", "-n", "10"];
    let top = luasnap(folder.path(), &words).stdout;
    let next = "saved to first.luasnap; next: luasnap top|path|view|report first.luasnap\n";
    assert_eq!(answer, format!("{top}\n{next}"));

    let top = luasnap(
        folder.path(),
        &["top", "first.luasnap", "--by", "class", "--json"],
    );
    let top: serde_json::Value = serde_json::from_str(&top.stdout).unwrap();
    assert_eq!(top["groups"][0]["name"], "class Player");
    assert_eq!(top["groups"][0]["count"], 1000);
    let path = luasnap(
        folder.path(),
        &["path", "first.luasnap", "_G.sessions.player7"],
    );
    assert!(path.stdout.contains("_G.sessions.player7"), "{path:?}");
    let thread = luasnap(folder.path(), &["path", "first.luasnap", "target.lua:5"]);
    assert_eq!(thread.code, Some(0), "{thread:?}");

    // Nothing changed between the two, since the target waits. Nothing is overwritten either.
    let again = luasnap(folder.path(), &["attach", &id, "--quiet"]);
    let third = luasnap(folder.path(), &["attach", &id, "--quiet"]);
    let [file, third] = [again, third].map(|ran| ran.stdout.trim_end().to_owned());
    assert_ne!(file, third);
    for name in [&file, &third] {
        let time = name.strip_prefix(&format!("luasnap-{id}-20")).unwrap();
        let time = time.strip_suffix(".luasnap").unwrap();
        assert!(time.contains('T') && time.contains('Z'), "{name}");
        assert!(folder.path().join(name).exists(), "{name}");
    }
    let diff = luasnap(
        folder.path(),
        &["diff", "first.luasnap", &file, "--fail-on-growth", "0"],
    );
    assert_eq!(diff.code, Some(0), "{diff:?}");
    assert!(diff.stdout.contains("Nothing changed."), "{diff:?}");

    let wrong = luasnap(folder.path(), &["attach", &id, "--state", "0x10"]);
    assert_eq!(wrong.code, Some(15), "{wrong:?}");
    target.finish();
}

#[test]
fn what_cannot_be_read_has_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    let of_sleeper = luasnap(folder.path(), &["attach", &sleeper.id().to_string()]);
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    assert_eq!(of_sleeper.code, Some(15), "{of_sleeper:?}");
    assert!(
        of_sleeper.stderr.contains("has no Lua state that is known"),
        "{of_sleeper:?}"
    );

    // Process ids are lower than this everywhere.
    let nobody = luasnap(folder.path(), &["attach", "4194305"]);
    assert_eq!(nobody.code, Some(10), "{nobody:?}");
    assert!(
        nobody.stderr.contains("there is no process 4194305"),
        "{nobody:?}"
    );

    std::fs::write(folder.path().join("text"), "no core at all").unwrap();
    let text = luasnap(folder.path(), &["core", "text"]);
    assert_eq!(text.code, Some(21), "{text:?}");
    let missing = luasnap(folder.path(), &["core", "nothing"]);
    assert_eq!(missing.code, Some(20), "{missing:?}");
    let none = luasnap(folder.path(), &["attach", "luasnap-none"]);
    assert_eq!(none.code, Some(10), "{none:?}");
    let said = "luasnap: no process is called 'luasnap-none'; `luasnap ps` lists those that have a Lua state\n";
    assert_eq!(none.stderr, said);
    std::fs::write(folder.path().join("a.luasnap"), "").unwrap();
    let file = luasnap(folder.path(), &["attach", "a.luasnap"]);
    assert_eq!(file.code, Some(2), "{file:?}");
    let hint = "this is a file: `luasnap top a.luasnap` reads a snapshot, `luasnap core a.luasnap` a core file";
    assert!(file.stderr.contains(hint), "{file:?}");
}

/// A copy of luasnap with a name that no other process has.
fn under_another_name(folder: &Path, name: &str) -> std::process::Child {
    let program = folder.join(name);
    // The system calls a program what it was started as.
    let _ = std::os::unix::fs::symlink(crate::program::LUASNAP, &program);
    let script = format!("{SCRIPT} print 'ready' io.stdout:flush() io.read()");
    std::fs::write(folder.join("named.lua"), script).unwrap();
    let mut child = Command::new(program)
        .current_dir(folder)
        .args(["run", "--quiet", "named.lua"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
    assert_eq!(&line, b"ready\n");
    child
}

#[test]
fn a_process_may_be_given_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let name = "luasnap-of-names";
    let mut first = under_another_name(folder.path(), name);
    let words = ["attach", name, "--json", "-o", "a.luasnap"];
    let alone = luasnap(folder.path(), &words);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    let answer: serde_json::Value = serde_json::from_str(&alone.stdout).unwrap();
    assert_eq!(answer["pid"], first.id());
    assert!(answer["pause"].as_f64().unwrap() > 0.0);
    assert!(answer["copied"].as_u64().unwrap() > 100_000);
    let states = answer["states"].as_array().unwrap();
    assert_eq!(states.len(), 1);
    assert_eq!(states[0]["file"], "a.luasnap");
    assert_eq!(states[0]["vm"], "Lua 5.4");
    assert_eq!(states[0]["unaccounted"], 0);
    assert_eq!(answer["top"]["file"], "a.luasnap");
    assert_eq!(answer["top"]["groups"].as_array().unwrap().len(), 10);
    assert_eq!(answer["top"]["groups"][0]["name"], "_G.sessions");

    let mut second = under_another_name(folder.path(), name);
    let several = luasnap(folder.path(), &["attach", name]);
    let ids = [first.id(), second.id()].map(|id| id.to_string());
    for child in [&mut first, &mut second] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(several.code, Some(23), "{several:?}");
    for id in &ids {
        assert!(several.stdout.contains(id), "{several:?}");
    }
    let said = format!("luasnap: 2 processes are called '{name}': give the id of one\n");
    assert_eq!(several.stderr, said);
}

#[test]
fn it_writes_a_page_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), SCRIPT, &[]);
    let id = target.id();
    let words = ["attach", &id, "-o", "a.luasnap", "--report", "a page.html"];
    let attached = luasnap(folder.path(), &words);
    assert_eq!(attached.code, Some(0), "{attached:?}");
    let end = "\na page.html: for any browser\n";
    assert!(attached.stdout.ends_with(end), "{attached:?}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let page = read("a page.html");
    assert!(page.starts_with("<!doctype html>"), "{page}");
    let verdict = "One table, _G.sessions, retains ";
    assert!(page.contains(verdict), "{page}");
    let words = ["attach", &id, "-q", "--report", "no/where.html"];
    let refused = luasnap(folder.path(), &words);
    assert_eq!(refused.code, Some(125), "{refused:?}");
    let said = "luasnap: cannot write 'no/where.html': No such file or directory\n";
    assert_eq!(refused.stderr, said);
    target.finish();
}

/// The process is not stopped for a file that cannot be written.
#[test]
fn where_no_file_can_be_written_the_process_is_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), SCRIPT, &[]);
    let id = target.id();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    for (output, reason) in [
        ("no/where.luasnap", "No such file or directory"),
        ("folder", "Is a directory"),
        ("/proc/x.luasnap", "No such file or directory"),
    ] {
        let refused = luasnap(folder.path(), &["attach", &id, "-o", output]);
        assert_eq!(refused.code, Some(125), "{refused:?}");
        // Nothing is said of a stop.
        let said = format!("luasnap: cannot write '{output}': {reason}\n");
        assert_eq!(refused.stderr, said);
    }
    target.finish();
}

/// Messages without the error numbers that Rust adds, or names of error kinds instead.
#[test]
fn the_system_s_words_say_why_something_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), SCRIPT, &[]);
    let id = target.id();
    let said = |line: &str| {
        let mut shell = Command::new("sh");
        shell
            .current_dir(folder.path())
            .args(["-c", &format!("{line} \"$@\""), "sh"])
            .arg(program(folder.path()).get_program());
        shell
    };
    let end = |mut command: Command, words: &[&str], code: i32, expected: &str| {
        command.args(words);
        let ran = output(command, "");
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.ends_with(expected), "{ran:?}");
    };
    end(
        said("ulimit -n 4; exec"),
        &["attach", &id],
        125,
        ": Too many open files\n",
    );
    end(said("exec"), &["core", "."], 20, ".: Is a directory\n");
    end(
        said("exec"),
        &["attach", &id, "--scratch", "nowhere"],
        125,
        "in nowhere for its copy: No such file or directory\n",
    );
    std::fs::write(folder.path().join("text"), "").unwrap();
    end(
        said("exec"),
        &["run", "--save", "text", "--every", "1s", "target.lua"],
        125,
        "cannot make the folder text: File exists\n",
    );
    end(
        said("exec"),
        &["run", "--lua", "./text", "target.lua"],
        126,
        "the interpreter ./text cannot be started: Permission denied\n",
    );
    target.finish();
}

#[test]
fn a_32_bit_process_has_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut process) = thirty_two_bit::start(folder.path()) else {
        return;
    };
    let refused = luasnap(folder.path(), &["attach", &process.id().to_string()]);
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(refused.code, Some(14), "{refused:?}");
    assert!(refused.stderr.contains("is a 32-bit one"), "{refused:?}");
}

#[test]
fn without_room_it_is_not_stopped_and_a_folder_takes_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), SCRIPT, &[]);
    let id = target.id();
    let mut limited = Command::new("sh");
    let program = program(folder.path());
    limited
        .current_dir(folder.path())
        .args(["-c", "ulimit -v 36000; exec \"$@\"", "sh"])
        .arg(program.get_program())
        .args(["attach", &id]);
    let limited = output(limited, "");
    assert_eq!(limited.code, Some(19), "{limited:?}");
    let start = format!("luasnap: process {id} was not stopped: ");
    assert!(limited.stderr.starts_with(&start), "{limited:?}");
    assert!(limited.stderr.contains("ulimit -v"), "{limited:?}");

    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let words = ["attach", &id, "--scratch", "scratch", "-o", "x.luasnap"];
    let attached = luasnap(folder.path(), &words);
    assert_eq!(attached.code, Some(0), "{attached:?}");
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    let words = ["attach", &id, "--scratch", "nowhere"];
    let nowhere = luasnap(folder.path(), &words);
    assert_eq!(nowhere.code, Some(125), "{nowhere:?}");
    assert!(
        nowhere.stderr.contains("no file can be made in nowhere"),
        "{nowhere:?}"
    );
    target.finish();
}
