//! The native engine knows the Lua of every program, to the byte.

use crate::program::{Program, directory, read, tests};

crate::each_program!(check);

/// By itself, without being asked to.
fn check(program: Program) {
    let source = read(&tests().join("installed/lua/engine.lua"));
    let printed = program.run(directory().path(), &source);
    assert_eq!(printed, "");
}
