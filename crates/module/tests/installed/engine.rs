//! The native engine accounts for every byte in the Lua of every program.

use crate::program::{Program, directory, read, tests};

crate::each_program!(check);

/// It is chosen by default.
fn check(program: Program) {
    let source = read(&tests().join("installed/lua/engine.lua"));
    let printed = program.run(directory().path(), &source);
    assert_eq!(printed, "");
}
