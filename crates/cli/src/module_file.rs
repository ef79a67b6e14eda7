//! Finding the Lua module, for interpreters that load it from a file.

use anyhow::{Result, anyhow, bail};
use luasnap_format::{printable_path, reason};
use std::env::{self, consts};
use std::path::{Path, PathBuf};

/// The environment variable with the module's file.
const VARIABLE: &str = "LUASNAP_MODULE";

/// Returns the absolute path of the module's file.
///
/// # Errors
///
/// If the variable names a file that cannot be opened, or if the module is not found.
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
            "cannot find the file of luasnap itself: {}",
            reason(&problem)
        )
    })?;
    let name = format!("{}snapshot{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    // Cargo builds in `deps`; a file beside the program may be from an earlier build.
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
