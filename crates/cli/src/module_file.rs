//! Where the Lua module is, for the interpreters that load it from a file.

use anyhow::{Result, anyhow, bail};
use luasnap_format::{printable_path, reason};
use std::env::{self, consts};
use std::path::{Path, PathBuf};

/// Names the module's file where it is not found by itself.
const VARIABLE: &str = "LUASNAP_MODULE";

/// The module's file, absolute.
pub fn find() -> Result<PathBuf> {
    if let Some(path) = env::var_os(VARIABLE) {
        return PathBuf::from(&path).canonicalize().map_err(|problem| {
            anyhow!(
                "{VARIABLE} names {}, which cannot be opened: {}",
                printable_path(Path::new(&path)),
                reason(&problem)
            )
        });
    }
    let program = env::current_exe().map_err(|problem| {
        anyhow!(
            "cannot tell where luasnap itself lies: {}",
            reason(&problem)
        )
    })?;
    let name = format!("{}snapshot{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    // Cargo builds in `deps`; what lies beside the program may be from an earlier build.
    for folder in ["deps", "", "../lib/luasnap"] {
        let file = program.with_file_name(folder).join(&name);
        if file.is_file() {
            return Ok(file);
        }
    }
    bail!(
        "cannot find the Lua module {name}, which another interpreter needs: build it with \
         `cargo build --release` and put it beside {}, or name it in {VARIABLE}",
        printable_path(&program)
    )
}
