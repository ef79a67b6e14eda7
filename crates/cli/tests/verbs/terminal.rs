//! On a terminal.

use crate::files::in_town;
use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::Read;
use std::process::Stdio;

/// What a command shows on a terminal of so many columns.
fn shown(words: &[&str], columns: u16) -> String {
    let size = Winsize {
        ws_row: 50,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(Some(&size), None).unwrap();
    let mut command = in_town(words);
    command
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .stdout(terminal.slave.try_clone().unwrap())
        .stderr(terminal.slave);
    let mut child = command.spawn().unwrap();
    drop(command); // and with it our end of the terminal
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    let mut reader = File::from(terminal.master);
    // When the program has closed its end, reading fails.
    while let Ok(length @ 1..) = reader.read(&mut buffer) {
        said.extend_from_slice(&buffer[..length]);
    }
    assert!(child.wait().unwrap().success(), "{words:?}");
    String::from_utf8(said).unwrap().replace("\r\n", "\n")
}

/// A text without the sequences that make it bold.
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += part
            .trim_start_matches(|c: char| !c.is_ascii_alphabetic())
            .get(1..)
            .unwrap();
    }
    plain
}

#[test]
fn tables_fit_the_terminal() {
    for words in [
        &["top", "1.luasnap", "-n", "100"][..],
        &["top", "1.luasnap", "--by", "count"],
        &["diff", "1.luasnap", "2.luasnap"],
        &["diff", "1.luasnap", "2.luasnap", "3.luasnap", "-n", "100"],
        &["info", "1.luasnap"],
    ] {
        for columns in [200, 120, 80, 60] {
            let text = plain(&shown(words, columns));
            for line in text.lines() {
                let width = line.chars().count();
                assert!(
                    width <= usize::from(columns),
                    "{words:?} on {columns} columns: {width} in {line:?}"
                );
            }
        }
    }
}

#[test]
fn numbers_stay_whole_on_narrow_terminals() {
    let text = plain(&shown(&["top", "1.luasnap"], 60));
    let row = text.lines().find(|line| line.contains("class Person"));
    let row = row.unwrap_or_else(|| panic!("{text}"));
    assert!(
        row.contains(" KiB ") && row.contains(" 100  table"),
        "{text}"
    );
}

#[test]
fn quick_work_shows_no_progress() {
    let text = shown(&["info", "1.luasnap"], 80);
    assert!(!text.contains("reading"), "{text}");
}

#[test]
fn heads_are_bold_on_terminals() {
    let text = shown(&["info", "1.luasnap"], 80);
    assert!(text.contains("\x1b[1m"), "{text}");
}
