//! The module prints the same everywhere, with both engines: for the scripts of `tests/golden`,
//! which also run in the hosts of the workspace, and for the samples of the manual.

use crate::normal::normal;
use crate::program::{ENGINES, Program, directory, read, tests};
use std::path::{Path, PathBuf};

crate::each_program!(check);

fn check(program: Program) {
    let mut scripts = scripts(&tests().join("golden"));
    assert!(!scripts.is_empty());
    scripts.push(tests().join("installed/lua/samples.lua"));
    for script in scripts {
        for engine in ENGINES {
            let printed = program.run_by(engine, directory().path(), &read(&script));
            let (printed, golden) = (normal(&printed), read(&golden(program, &script)));
            for (got, expected) in printed.lines().zip(golden.lines()) {
                assert_eq!(got, expected, "{}, {engine}", script.display());
            }
            assert_eq!(printed.lines().count(), golden.lines().count());
        }
    }
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("the golden scripts");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|name| name == "lua"))
        .collect()
}

/// The expected output of a script; programs with the API of 5.1 may have a file of their own.
fn golden(program: Program, script: &Path) -> PathBuf {
    let own = script.with_extension("5.1.txt");
    if program.is_51() && own.exists() {
        return own;
    }
    script.with_extension("txt")
}
