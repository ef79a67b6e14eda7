//! Names and files chosen by an attacker: no terminal control sequences are printed.

use crate::files::{run_in, town};
use crate::program::{LUASNAP, luasnap, module};
use crate::target::Target;
use luasnap_hosts::Vm;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Saves a heap with such names to `hostile.luasnap`.
const SCRIPT: &str = include_str!("hostile.lua");

/// `ev<ESC>[31m`, C1 as a character and as a byte, a change of direction, a line feed, a tag.
const NAME: &[u8] = b"ev\x1b[31m\xc2\x9bH\x9b\xe2\x80\xael\nn\xf3\xa0\x81\x81";
const SHOWN: &str = r"ev\x1B[31m\u{9B}H\x9B\u{202E}l\nn\u{E0041}";

/// Returns what a command prints to both outputs, checking that every character is printable.
#[track_caller]
fn said(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let mut all = String::new();
    for bytes in [output.stdout, output.stderr] {
        let text = String::from_utf8(bytes).expect("text");
        for line in text.lines() {
            // Exported tables have tabs.
            let is_shown = |c: char| c == '\t' || luasnap_heap::is_printable(c);
            assert!(line.chars().all(is_shown), "{command:?}: {line:?}");
        }
        all += &text;
    }
    assert!(!all.is_empty(), "{command:?}");
    all
}

/// `luasnap` with these words in a folder.
fn ask(folder: &Path, words: &[&[u8]]) -> Command {
    let mut command = luasnap(folder);
    command.args(words.iter().map(|word| OsStr::from_bytes(word)));
    command
}

#[test]
fn names_in_a_heap() {
    for vm in Vm::ALL {
        let folder = tempfile::tempdir().unwrap();
        run_in(vm, SCRIPT, folder.path());
        for words in [
            "top hostile.luasnap -n 1000",
            "top hostile.luasnap -n 1000 --by class",
            "top hostile.luasnap -n 1000 --by owner",
            "top hostile.luasnap -n 1000 --json",
            "info hostile.luasnap -n 100",
            "info hostile.luasnap -n 100 --json",
            "diff before.luasnap hostile.luasnap -n 100",
            "diff before.luasnap hostile.luasnap -n 100 --json",
            "view --json hostile.luasnap -n 1000",
            "view --json hostile.luasnap --at _G.objects -n 1000",
            "path hostile.luasnap _G.objects",
            "path hostile.luasnap _G.objects --json",
            "path hostile.luasnap _G.nothing",
            "report hostile.luasnap --json",
            "report before.luasnap hostile.luasnap --json",
            "report hostile.luasnap -o /dev/stdout",
            "export hostile.luasnap --to text",
            "export hostile.luasnap --to json",
            "export hostile.luasnap --to json-indented",
            "export hostile.luasnap --to heapsnapshot",
        ] {
            let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
            said(ask(folder.path(), &words));
        }
        // A name can be queried as it is shown.
        for shown in [
            r"_G.\x1B]0;title\x07\x1B[31mred",
            r"_G.c1 \u{9B}31m",
            r"_G.raw c1 \x9B31m",
            r"_G.bidi \u{202E}live\u{202C}",
            r"_G.new\nline",
        ] {
            // It may be typed without the quotes.
            let key = shown.strip_prefix("_G.").unwrap();
            let quoted = format!("_G.[\"{key}\"]");
            let answer = said(ask(
                folder.path(),
                &[b"path", b"hostile.luasnap", shown.as_bytes()],
            ));
            assert!(
                answer.contains(&format!("shortest path: {quoted}\n")),
                "{vm:?}: {answer}"
            );
            let again = [b"path".as_slice(), b"hostile.luasnap", quoted.as_bytes()];
            assert_eq!(said(ask(folder.path(), &again)), answer);
        }
    }
}

#[test]
fn names_of_files_and_words_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let saved = town().join("1.luasnap");
    let name = OsStr::from_bytes(NAME);
    fs::copy(&saved, folder.join(name)).unwrap();
    let other = OsStr::from_bytes(b"second\x1b[2J");
    fs::copy(town().join("2.luasnap"), folder.join(other)).unwrap();
    let inside = |before: &[u8], behind: &[u8]| [before, NAME, behind].concat();
    let missing = inside(b"no ", b"");
    let in_no_folder = inside(b"no ", b"/file");
    let not_a_snapshot = inside(b"script ", b".lua");
    fs::write(
        folder.join(OsStr::from_bytes(&not_a_snapshot)),
        "error('in it')",
    )
    .unwrap();
    let script = &not_a_snapshot[..];
    let with_name = [
        vec![&b"info"[..], NAME],
        vec![b"info", NAME, b"--json"],
        vec![b"top", NAME],
        vec![b"top", NAME, b"--json"],
        vec![b"diff", NAME, b"second\x1b[2J"],
        vec![b"diff", NAME, b"second\x1b[2J", b"--json"],
        vec![b"path", NAME, b"none"],
        vec![b"path", NAME, NAME],
        vec![b"top", &missing],
        vec![b"info", script],
        vec![b"report", NAME, b"-o", &in_no_folder],
        vec![b"report", &missing, b"-o", b"x"],
        vec![b"export", NAME, b"-o", &in_no_folder],
        vec![b"core", NAME],
        vec![b"core", &missing],
        vec![b"run", &missing],
        vec![b"run", script],
        vec![b"run", b"--save", &in_no_folder, script],
        vec![b"run", b"--lua", NAME, script],
    ];
    for words in &with_name {
        let text = said(ask(folder, words));
        let shown = text.contains(SHOWN) || text.contains(r"\u009bH");
        assert!(shown, "{words:?}: {text}");
    }
    // There the name is escaped in the data, and so twice in JSON.
    said(ask(folder, &[b"report", NAME, b"--json"]));
    let installed = [
        &b"run"[..],
        b"--lua",
        Vm::Lua51.interpreter().as_os_str().as_bytes(),
        script,
    ];
    let mut command = ask(folder, &installed);
    command.env("LUASNAP_MODULE", module());
    assert!(said(command).contains(SHOWN));
    let mut command = ask(folder, &installed);
    command.env("LUASNAP_MODULE", OsStr::from_bytes(&missing));
    assert!(said(command).contains(SHOWN));

    // Messages of clap, which say little about bytes that are not UTF-8.
    let word = "ev\x1b[31m\u{9b}H\u{202e}l\nn";
    for words in [
        vec![word],
        vec!["top", "x", &format!("--{word}")],
        vec!["top", "x", &format!("--{word}=5")],
        vec!["top", "x", "--by", word],
        vec!["top", "x", "-n", word],
        vec!["top", word],
        vec!["attach", word],
        vec!["diff", "x", "y", "--fail-on-growth", word],
        vec!["report", "x", "--lang", word],
        vec!["export", "x", "--to", word],
        vec!["run", "--save", "x", "--every", word, "y"],
    ] {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let text = said(ask(folder, &words));
        assert!(text.contains(r"ev\x1B[31m\u{9B}H\u{202E}l\nn"), "{text}");
    }
    for words in [vec![NAME], vec![b"top", b"x", b"--by", NAME]] {
        said(ask(folder, &words));
    }
    // The name of the program.
    let mut command = Command::new(LUASNAP);
    command.arg0(name).args(["top", "--none"]);
    said(command);
}

#[test]
fn command_lines_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let word = "c1 \u{9b}31m \u{202e} \u{2028}";
    let target = Target::start(folder.path(), "", &[word]);
    for words in [&[&b"ps"[..]][..], &[b"ps", b"--json"]] {
        let text = said(ask(folder.path(), words));
        let shown = [
            r"c1 \u{9B}31m \u{202E} \u{2028}",
            r"c1 \u009b31m \u202e \u2028",
        ];
        assert!(shown.iter().any(|shown| text.contains(shown)), "{text}");
    }
    target.finish();
}
