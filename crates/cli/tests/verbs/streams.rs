//! Output streams of the verbs.

use crate::files::{answer, in_town, program, town};
use std::fs::File;
use std::process::{Command, Stdio};

/// Each verb, with much output.
const CALLS: [&[&str]; 6] = [
    &["info", "1.luasnap"],
    &["top", "1.luasnap", "-n", "1000"],
    &["top", "1.luasnap", "--json"],
    &["diff", "1.luasnap", "2.luasnap"],
    &["path", "1.luasnap", "town.people"],
    &["export", "1.luasnap"],
];

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for call in CALLS {
        let mut command = in_town(call);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let done = child.wait_with_output().unwrap();
        assert_eq!(
            (done.status.code(), done.stderr.as_slice()),
            (Some(0), &b""[..]),
            "{call:?}"
        );
    }
    let line = format!("'{}' export 1.luasnap | head -c 10", program());
    let head = Command::new("bash")
        .current_dir(town())
        .args(["-o", "pipefail", "-c", &line])
        .output()
        .unwrap();
    assert!(head.status.success() && head.stderr.is_empty(), "{head:?}");
    assert_eq!(head.stdout.len(), 10);
}

#[test]
fn what_cannot_be_written_is_told() {
    for call in CALLS {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let done = in_town(call).stdout(full).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(
            (done.status.code(), said.as_str()),
            (
                Some(125),
                "luasnap: cannot write to standard output: No space left on device\n"
            ),
            "{call:?}"
        );
    }
}

#[test]
fn programs_read_plain_text_without_wrapping() {
    for call in CALLS {
        let text = answer(call);
        assert!(!text.contains('\x1b'), "{call:?}: {text}");
    }
    let top = answer(&["top", "1.luasnap", "-n", "1000"]);
    let rows = top
        .lines()
        .filter(|line| line.contains(" strings of "))
        .count();
    assert!(rows > 3, "each group is on a line of its own: {top}");
}
