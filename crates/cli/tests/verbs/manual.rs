//! The output shown in the manual is what its commands print.

use crate::program::{luasnap, output};
use std::fs;
use std::path::Path;

#[test]
fn the_manual_s_answers_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = luasnap(folder.path());
        command.args(words);
        let ran = output(command, "");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        ran.stdout
    };
    let script = root.join("examples/players.lua");
    for number in ["1", "2", "3"] {
        let (file, players) = (format!("{number}.luasnap"), format!("{number}0000"));
        let script = script.to_str().unwrap();
        run(&["run", "--quiet", "--save", &file, script, &players]);
    }
    let path = run(&["path", "3.luasnap", "server.sessions.player7"]);
    let diff = run(&["diff", "1.luasnap", "2.luasnap", "3.luasnap"]);
    for manual in ["docs/manual.md", "docs/zh-CN/manual.md"] {
        let text = fs::read_to_string(root.join(manual)).unwrap();
        // Percentages, addresses and a process's memory are not the same everywhere.
        let differs = |line: &&str| {
            let is_memory = line.starts_with("process  ") || line.starts_with("outside  ");
            is_memory || line.contains('%') || line.contains("0x")
        };
        let lines = path.lines().chain(diff.lines());
        for line in lines.filter(|line| !differs(line)) {
            let is_there = text.lines().any(|said| said == line);
            assert!(is_there, "{manual} has no line {line:?}");
        }
    }
}
