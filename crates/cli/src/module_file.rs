//! Finding the Lua module, for interpreters that load it from a file.

use crate::failure::Result;
use luasnap_format::printable_path;
use luasnap_words::{Sentence, Spoken};
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
            Sentence::new("module.cannot_open")
                .with("variable", VARIABLE)
                .with("file", printable_path(Path::new(&path)).to_string())
                .with("reason", problem.sentence())
                .into()
        });
    }
    let program = env::current_exe()
        .map_err(|problem| Sentence::new("module.no_program").with("reason", problem.sentence()))?;
    let name = format!("{}snapshot{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    // Cargo builds in `deps`; a file beside the program may be from an earlier build. What is installed has the name that
    // Lua looks for: in an archive beside the program, in a package in a folder of its own.
    let installed = format!("snapshot{}", consts::DLL_SUFFIX);
    let places = [
        ("deps", &name),
        ("", &name),
        ("", &installed),
        ("../lib/luasnap", &installed),
        ("../lib/luasnap", &name),
    ];
    for (folder, name) in places {
        let file = program.with_file_name(folder).join(name);
        if file.is_file() {
            return Ok(file);
        }
    }
    Err(Sentence::new("module.not_found")
        .with("name", name)
        .with("program", printable_path(&program).to_string())
        .with("variable", VARIABLE)
        .into())
}
