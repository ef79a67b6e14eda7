//! The embedded Lua serves C modules as `lua` does.

use crate::program::{LUASNAP, Program};
use luasnap_hosts::Vm;
use object::{Object, ObjectSymbol};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The functions of Lua's C API that an executable exports.
fn exported(program: &Path) -> BTreeSet<String> {
    let data = fs::read(program).unwrap();
    let file = object::File::parse(&*data).unwrap();
    let names = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition());
    let names = names.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    names
        .filter(|name| {
            ["lua_", "luaL_", "luaopen_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        })
        .collect()
}

#[test]
fn all_of_the_c_api_is_exported() {
    let (ours, real) = (
        exported(LUASNAP.as_ref()),
        exported(Vm::Lua54.interpreter()),
    );
    let missing: Vec<_> = real.difference(&ours).collect();
    assert!(missing.is_empty(), "not exported: {missing:?}");
    assert!(real.len() > 140, "{real:?}");
}

const MODULE: &str = r#"
#include <stddef.h>
typedef struct lua_State lua_State;
typedef int (*lua_CFunction)(lua_State *);
struct luaL_Reg { const char *name; lua_CFunction function; };
long long luaL_checkinteger(lua_State *, int);
void lua_pushinteger(lua_State *, long long);
void luaL_checkversion_(lua_State *, double, size_t);
void lua_createtable(lua_State *, int, int);
void luaL_setfuncs(lua_State *, const struct luaL_Reg *, int);

static int twice(lua_State *L) {
  lua_pushinteger(L, 2 * luaL_checkinteger(L, 1));
  return 1;
}

static const struct luaL_Reg FUNCTIONS[] = {{"twice", twice}, {NULL, NULL}};

int luaopen_tiny(lua_State *L) {
  luaL_checkversion_(L, 504, 8 * 16 + 8);
  lua_createtable(L, 0, 1);
  luaL_setfuncs(L, FUNCTIONS, 0);
  return 1;
}
"#;

#[test]
fn c_modules_load() {
    let program = Program::new("local tiny = require 'tiny' print(tiny.twice(21)) tiny.twice 'x'");
    let folder = program.folder();
    fs::write(folder.join("tiny.c"), MODULE).unwrap();
    let compiled = Command::new("cc")
        .current_dir(&folder)
        .args(["-shared", "-fPIC", "-o", "tiny.so", "tiny.c"])
        .status();
    assert!(
        compiled
            .expect("a C compiler, which building needs too")
            .success()
    );
    let ran = program.option("-q").run(&[]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(1), "42\n"),
        "{ran:#?}"
    );
    assert!(
        ran.stderr
            .contains("bad argument #1 to 'twice' (number expected"),
        "{ran:#?}"
    );
}
