//! Output on a terminal.

use crate::files::{ask, in_town, town};
use crate::target::Target;
use nix::pty::{Winsize, openpty};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Returns what a command shows on a terminal with this many columns.
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
    // Reading fails once the program has closed its end.
    while let Ok(length @ 1..) = reader.read(&mut buffer) {
        said.extend_from_slice(&buffer[..length]);
    }
    assert!(child.wait().unwrap().success(), "{words:?}");
    String::from_utf8(said).unwrap().replace("\r\n", "\n")
}

/// Returns a text without the escape sequences that make it bold.
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
            let rows: Vec<_> = rows(&text).collect();
            assert!(rows.len() > 5, "{text}");
            for line in rows {
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
fn long_command_lines_are_cut_at_the_width_of_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["x".repeat(300), "an argument with blanks".to_owned()];
    let target = Target::start(folder.path(), "", &[&arguments[0], &arguments[1]]);
    for columns in [200, 80, 60] {
        let text = plain(&shown(&["ps", "--states"], columns));
        let row = text
            .lines()
            .find(|line| line.split_whitespace().next() == Some(&target.id()));
        let row = row.unwrap_or_else(|| panic!("no {} in {text}", target.id()));
        // The last column is followed by two blanks.
        let width = row.chars().count();
        assert_eq!(width, usize::from(columns) - 2, "{row:?}");
        assert!(row.contains("  Lua 5.4  ") && row.ends_with("..."), "{row}");
        for line in text.lines().skip(1) {
            let is_row = line.trim_start().starts_with(|c: char| c.is_ascii_digit());
            assert!(is_row, "{line:?} in {text}");
        }
    }
}

/// Returns the lines of tables: those from a head to the next empty line, and those of changes.
fn rows(text: &str) -> impl Iterator<Item = &str> {
    let mut in_table = false;
    text.lines().filter(move |line| {
        let is_head = line.starts_with("kind") || line.contains("count");
        in_table = (in_table || is_head) && !line.is_empty();
        in_table || line.starts_with("  ") && line.contains('+') && !line.contains("from the first")
    })
}

#[test]
fn numbers_stay_whole_on_narrow_terminals() {
    let text = plain(&shown(&["top", "1.luasnap"], 60));
    // The share depends on the whole heap, including what luasnap itself needs to run the script.
    let is_whole = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        matches!(
            words[..],
            ["10.2", "KiB", _, "10.2", "KiB", "100", "table", ..]
        )
    };
    assert!(text.lines().any(is_whole), "{text}");
    assert!(text.contains("  function"), "{text}");
}

#[test]
fn examples_are_below_names_where_there_is_no_room_beside_them() {
    let below = plain(&shown(&["top", "1.luasnap"], 100));
    assert!(below.contains(" e.g. _G.mayor.house\n"), "{below}");
    let beside = plain(&shown(&["top", "1.luasnap"], 130));
    assert!(
        beside
            .lines()
            .any(|line| line.contains("class House  ") && line.ends_with("  _G.mayor.house")),
        "{beside}"
    );
}

#[test]
fn quick_work_shows_no_progress() {
    let text = shown(&["info", "1.luasnap"], 80);
    assert!(!text.contains("reading"), "{text}");
}

/// Calls `luasnap info` on a pipe that provides the file only after a while.
fn slowly(shown: impl FnOnce(&str) -> String) -> String {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let file = fs::read(town().join("1.luasnap")).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut end = File::options().write(true).open(&pipe).unwrap();
            thread::sleep(Duration::from_millis(1500));
            end.write_all(&file).unwrap();
        });
        shown(pipe.to_str().unwrap())
    })
}

#[test]
fn work_that_takes_longer_than_a_second_shows_progress() {
    let text = slowly(|pipe| shown(&["info", pipe], 200));
    assert!(text.contains(" 0/2 reading "), "{text:?}");
    let answer = text.rsplit('\r').next().unwrap();
    assert!(
        !answer.contains("reading"),
        "it is wiped before the answer: {text:?}"
    );
}

#[test]
fn programs_see_no_progress() {
    slowly(|pipe| {
        let ran = ask(&["info", pipe]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        assert!(!ran.stdout.contains("reading"), "{ran:#?}");
        ran.stdout
    });
}

#[test]
fn heads_are_bold_on_terminals() {
    let text = shown(&["info", "1.luasnap"], 80);
    assert!(text.contains("\x1b[1m"), "{text}");
}

/// A terminal that says it has no columns, or hardly any, gets what a pipe gets.
#[test]
fn rows_are_not_fitted_to_very_narrow_terminals() {
    for words in [&["top", "1.luasnap"][..], &["info", "1.luasnap"]] {
        // The head is bold, with the blanks that fill its columns.
        let trimmed = |text: &str| {
            text.lines()
                .map(|line| line.trim_end().to_owned())
                .collect()
        };
        let piped: Vec<String> = trimmed(&ask(words).stdout);
        for columns in [0, 1, 20, 59] {
            let shown: Vec<String> = trimmed(&plain(&shown(words, columns)));
            assert_eq!(shown, piped, "{columns} columns");
        }
    }
}

/// What was left out of a name is not needed to ask about it.
#[test]
fn long_names_are_cut_at_steps_and_can_be_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let script = "local key = ('x'):rep(20)
        deep = { [key] = { [key] = { [key] = { last = {} } } } }
        other = { [key] = { [key] = { last = {} } } }
        urls = {}
        for i = 1, 300 do urls['https://a.b/' .. i] = { i } end
        for i = 1, 200 do deep[key][key][key].last[i] = { i } end";
    fs::write(folder.path().join("deep.lua"), script).unwrap();
    let save = ["run", "--quiet", "--save", "deep.luasnap", "deep.lua"];
    let ran = crate::program::luasnap(folder.path()).args(save).status();
    assert!(ran.unwrap().success());
    let file = folder.path().join("deep.luasnap");
    let file = file.to_str().unwrap();

    let cut = "_G.deep…last";
    let text = plain(&shown(&["top", file], 80));
    assert!(
        text.lines().any(|line| line.ends_with(&format!(" {cut}"))),
        "{text}"
    );
    let key = "x".repeat(20);
    let whole = format!("_G.deep.{key}.{key}.{key}.last");
    let full = plain(&shown(&["top", file, "--full"], 200));
    assert!(full.contains(&format!(" {whole}\n")), "{full}");

    let path = ask(&["path", file, cut]).stdout;
    assert!(
        path.contains(&format!("shortest path: {whole}\n")),
        "{path}"
    );
    // Two things fit.
    let several = ask(&["path", file, "_G…last"]);
    assert_eq!(several.code, Some(125), "{several:?}");
    for path in [&whole, &format!("_G.other.{key}.{key}.last")] {
        assert!(several.stderr.contains(path), "{several:?}");
    }
    // A key with dots is one step.
    let url = ask(&["path", file, r#"_G.urls.["https://a.b/7"]"#]).stdout;
    assert!(
        url.contains("shortest path: _G.urls.[\"https://a.b/7\"]\n"),
        "{url}"
    );
    assert_eq!(ask(&["path", file, "_G.urls.https://a.b/7"]).stdout, url);
}

#[test]
fn colour_is_a_matter_of_choice() {
    const GREEN: &str = "\x1b[38;5;2m";
    let words = ["top", "1.luasnap", "--color"];
    let with = |choice| [&words[..], &[choice]].concat();
    assert!(shown(&with("auto"), 120).contains(GREEN));
    assert!(shown(&with("always"), 120).contains(GREEN));
    assert!(!shown(&with("never"), 120).contains('\x1b'));
    let piped = |choice| ask(&with(choice)).stdout;
    assert!(piped("always").contains(GREEN));
    assert!(!piped("auto").contains('\x1b') && !piped("never").contains('\x1b'));
    let quiet = in_town(&words[..2]).env("NO_COLOR", "1").output().unwrap();
    assert!(!quiet.stdout.contains(&0x1b));
    // What grew stands out.
    let grown = shown(&["diff", "1.luasnap", "2.luasnap"], 120);
    assert!(grown.contains("\x1b[38;5;9m+"), "{grown}");
}
