//! Snapshots that another process saves, of everything in a program.

use crate::program::{Program, directory, read, tests};

crate::each_program!(check);

fn check(program: Program) {
    let folder = directory();
    let source = read(&tests().join("installed/lua/background.lua"));
    let printed = program.run(folder.path(), &source);
    assert_eq!(printed, "native\tnil\ttrue\ttrue\n");
    // Nothing is left beside it.
    let names = folder.path().read_dir().expect("the folder");
    for name in names.map(|entry| entry.expect("a file").file_name()) {
        assert!(!name.to_string_lossy().contains(".tmp"), "{name:?}");
    }
}
