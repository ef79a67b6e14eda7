//! `luasnap view` as a process on a terminal, and as JSON. What its screens show is tested beside its code.

use crate::files::{ask, in_town, json};
use nix::libc::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Enters the alternate screen, and leaves it.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

/// A view on a terminal.
struct Terminal {
    child: Child,
    keys: File,
    /// Kept, so that its settings can be looked at.
    slave: OwnedFd,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts `luasnap` with these words.
    fn start(words: &[&str], environment: &[(&str, &str)]) -> Terminal {
        let size = Winsize {
            ws_row: 24,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let terminal = openpty(Some(&size), None).unwrap();
        let slave = || terminal.slave.try_clone().unwrap();
        let mut command = in_town(words);
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        command.envs(environment.iter().copied());
        command.stdin(slave()).stdout(slave()).stderr(slave());
        let child = command.spawn().unwrap();
        let said = Arc::default();
        let mut reader = File::from(terminal.master.try_clone().unwrap());
        let heard: Arc<Mutex<Vec<u8>>> = Arc::clone(&said);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                heard.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Terminal {
            child,
            keys: File::from(terminal.master),
            slave: terminal.slave,
            said,
        }
    }

    /// Starts a view of a town, and waits for its first screen.
    fn of_town(environment: &[(&str, &str)]) -> Terminal {
        let terminal = Terminal::start(&["view", "1.luasnap"], environment);
        terminal.wait_for("all objects");
        terminal.wait_for("quit");
        terminal
    }

    fn all_said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap()).into_owned()
    }

    fn wait_for(&self, text: &str) {
        self.wait_until(|said| said.contains(text), text);
    }

    fn wait_until(&self, is_so: impl Fn(&str) -> bool, what: &str) {
        for _ in 0..4000 {
            if is_so(&self.all_said()) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("no {what:?} in {:?}", self.all_said());
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn signal(&self, signal: i32) {
        let id = self.child.id().to_string();
        let number = signal.to_string();
        let sent = Command::new("kill").args(["-s", &number, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Returns the state of the process: `S` sleeping, `T` stopped.
    fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, after) = stat.rsplit_once(") ").unwrap();
        after.chars().next().unwrap()
    }

    /// Whether the terminal passes on lines, not keys.
    fn is_as_before(&self) -> bool {
        let settings = tcgetattr(&self.slave).unwrap();
        let flags = settings.local_flags;
        flags.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG)
    }

    /// Waits until it has ended.
    fn end(&mut self) -> ExitStatus {
        for _ in 0..4000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end: {:?}", self.all_said());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_are_obeyed_and_the_terminal_is_given_back() {
    let mut terminal = Terminal::of_town(&[]);
    assert!(!terminal.is_as_before());
    terminal.press("g");
    // Blanks are no characters that are sent.
    terminal.wait_for("House");
    terminal.press("\x1b");
    terminal.press("/people\r");
    terminal.wait_for("_G.town.people");
    terminal.press("?");
    terminal.wait_for("PgUp");
    // The first one ends the help.
    terminal.press("qq");
    let status = terminal.end();
    assert_eq!(status.code(), Some(0));
    assert!(terminal.is_as_before());
    let said = terminal.all_said();
    let (_, after) = said.rsplit_once(LEAVE).unwrap();
    // The cursor is shown, twice.
    assert!(said.starts_with(ENTER), "{said:?}");
    assert_eq!(after.replace("\x1b[?25h", ""), "", "{said:?}");
}

#[test]
fn a_signal_that_ends_it_gives_the_terminal_back() {
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        let mut terminal = Terminal::of_town(&[]);
        terminal.signal(signal);
        assert_eq!(terminal.end().signal(), Some(signal));
        assert!(terminal.is_as_before(), "{signal}");
        terminal.wait_for(LEAVE);
    }
}

#[test]
fn it_can_be_stopped_and_goes_on() {
    for by_key in [true, false] {
        let mut terminal = Terminal::of_town(&[]);
        match by_key {
            true => terminal.press("\x1a"),
            false => terminal.signal(SIGTSTP),
        }
        terminal.wait_for(LEAVE);
        for _ in 0..4000 {
            if terminal.state() == 'T' {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(terminal.state(), 'T');
        assert!(terminal.is_as_before());
        terminal.signal(SIGCONT);
        let is_shown_again = |said: &str| {
            let again = said.rsplit_once(ENTER).map(|(_, again)| again);
            said.matches(ENTER).count() >= 2 && again.is_some_and(|again| again.contains("quit"))
        };
        terminal.wait_until(is_shown_again, "second screen");
        assert!(!terminal.is_as_before());
        terminal.press("q");
        assert_eq!(terminal.end().code(), Some(0));
        assert!(terminal.is_as_before());
    }
}

#[test]
fn colours_can_be_switched_off() {
    // A colour of the 256 that terminals have.
    let has_colors = |terminal: &mut Terminal| {
        terminal.press("q");
        terminal.end();
        terminal.all_said().contains("\x1b[38;5;")
    };
    assert!(has_colors(&mut Terminal::of_town(&[])));
    assert!(!has_colors(&mut Terminal::of_town(&[("NO_COLOR", "1")])));
    for (when, environment, expected) in [
        ("never", &[][..], false),
        ("always", &[("NO_COLOR", "1")], true),
        ("auto", &[("NO_COLOR", "")], true),
    ] {
        let words = ["view", "--color", when, "1.luasnap"];
        let mut terminal = Terminal::start(&words, environment);
        terminal.wait_for("quit");
        assert_eq!(has_colors(&mut terminal), expected, "{when}");
    }
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let ran = ask(&["view", "1.luasnap"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:#?}");
    let expected = "luasnap: view needs a terminal, for its keys and for what it shows; `luasnap top FILE` and \
        `luasnap path FILE WHAT` answer without one, and `luasnap view --json FILE` writes rows\n";
    assert_eq!(ran.stderr, expected);
}

#[test]
fn a_file_that_cannot_be_read_leaves_the_terminal_alone() {
    let mut terminal = Terminal::start(&["view", "missing"], &[]);
    assert_eq!(terminal.end().code(), Some(125));
    terminal.wait_for("cannot read 'missing'");
    assert!(!terminal.all_said().contains(ENTER));
    assert!(terminal.is_as_before());
}

#[test]
fn one_level_as_json() {
    let top = json(&["view", "1.luasnap"]);
    assert_eq!(top["file"], "1.luasnap");
    assert!(top["object"].is_null());
    let rows = top["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 20);
    assert!(top["row_count"].as_u64().unwrap() > 20);
    let retained = |row: &serde_json::Value| row["retained"].as_u64().unwrap();
    assert!(rows.is_sorted_by(|a, b| retained(a) >= retained(b)));

    let town = json(&["view", "1.luasnap", "--at", "town", "-n", "1"]);
    assert_eq!(town["object"]["name"], "_G.town");
    assert_eq!(town["rows"].as_array().unwrap().len(), 1);
    let houses = &town["rows"][0];
    assert_eq!(houses["name"], "class House");
    assert_eq!(
        (houses["count"].as_u64(), &houses["type"]),
        (Some(99), &"table".into())
    );
    assert_eq!(houses["what"], "99 tables");
    assert!(houses.get("growth").is_none());
    // The same numbers as the other verbs'.
    let path = json(&["path", "1.luasnap", "town"]);
    for field in ["retained", "retained_count", "share"] {
        assert_eq!(town["object"][field], path[field], "{field}");
    }
    let leaf = json(&["view", "1.luasnap", "--at", "town.houses"]);
    assert_eq!(leaf["row_count"], 0);
    assert_eq!(leaf["rows"].as_array().unwrap().len(), 0);
}

#[test]
fn questions_that_have_no_answer() {
    let ran = ask(&["view", "--json", "1.luasnap", "--at", "nowhere"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
    assert!(
        ran.stderr.starts_with("luasnap: in 1.luasnap: "),
        "{ran:#?}"
    );
    let ran = ask(&["view"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
}
