//! `man`: the pages for packages.

use crate::program::{Ran, luasnap, output};
use std::fs;
use std::path::Path;
use std::process::Command;

fn write(folder: &Path, place: &str) -> Ran {
    let mut command = luasnap(folder);
    command.args(["man", place]);
    output(command, "")
}

#[test]
fn luasnap_and_every_verb_have_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let ran = write(folder.path(), "share/man1");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    let page = |name: &str| {
        let path = folder.path().join("share/man1").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let main = page("luasnap.1");
    for verb in ["run", "attach", "top", "diff", "completions"] {
        assert!(main.contains(&format!("luasnap\\-{verb}(1)")), "{verb}");
        let of_verb = page(&format!("luasnap-{verb}.1"));
        assert!(of_verb.starts_with(".ie"), "{of_verb}");
        assert!(of_verb.contains("Exit codes:"), "{verb}: {of_verb}");
    }
    let hidden = folder.path().join("share/man1/luasnap-man.1");
    assert!(!hidden.exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let ran = write(folder.path(), "file/pages");
    assert_eq!(ran.code, Some(125), "{ran:#?}");
    let expected = "luasnap: cannot write to the folder file/pages: Not a directory\n";
    assert_eq!(ran.stderr, expected);
}

/// `man` itself reads them without a warning.
#[test]
#[ignore = "needs man-db"]
fn man_shows_a_page() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "man1");
    for page in fs::read_dir(folder.path().join("man1")).unwrap() {
        let mut command = Command::new("man");
        command
            .env("MAN_KEEP_STDERR", "1")
            .env("LC_ALL", "C.UTF-8")
            .args(["--warnings", "-l"])
            .arg(page.unwrap().path());
        let ran = output(command, "");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        assert!(ran.stdout.contains("SYNOPSIS"), "{ran:#?}");
    }
}
