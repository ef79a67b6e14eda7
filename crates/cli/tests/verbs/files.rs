//! The snapshot files of the tests, and commands about them.

use crate::program::{LUASNAP, Ran, luasnap, module, output};
use luasnap_hosts::{Options, Vm, module_dir};
use serde_json::Value;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Number of people in `1.luasnap`, `2.luasnap` and `3.luasnap`.
pub const POPULATIONS: [u64; 3] = [100, 120, 140];

/// A folder with `1.luasnap`, `2.luasnap` and `3.luasnap`: a town that grows.
pub fn town() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("town");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("town.lua"), include_str!("town.lua")).unwrap();
        for (number, population) in (1..).zip(POPULATIONS) {
            let file = format!("{number}.luasnap");
            let population = population.to_string();
            let mut command = luasnap(&folder);
            // The name it is called by is a string in its heap.
            command.arg0("luasnap");
            command.args(["run", "-q", "--save", &file, "town.lua", &population]);
            let ran = output(command, "");
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        }
        folder
    });
    &FOLDER
}

/// `luasnap` in that folder.
pub fn in_town(words: &[&str]) -> Command {
    let mut command = luasnap(town());
    command.args(words);
    command
}

/// Asks about the files of that folder.
pub fn ask(words: &[&str]) -> Ran {
    output(in_town(words), "")
}

/// Returns the answer as text.
#[track_caller]
pub fn answer(words: &[&str]) -> String {
    let ran = ask(words);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    ran.stdout
}

/// Returns the answer as JSON.
#[track_caller]
pub fn json(words: &[&str]) -> Value {
    serde_json::from_str(&answer(&[words, &["--json"]].concat())).unwrap()
}

/// Runs a script in a VM with the module; it saves its files in `folder`.
#[track_caller]
pub fn run_in(vm: Vm, script: &str, folder: &Path) {
    let mut options = Options::modules(module_dir(&module()));
    options.dir = Some(folder.to_owned());
    let run = vm.run(script, &options);
    assert!(run.status.success(), "{run}");
}

/// The path of the program, for shell commands.
pub fn program() -> &'static str {
    LUASNAP
}
