//! The process that the user means, by its id or its name.

use crate::exit_code::SEVERAL_PROCESSES;
use crate::failure::{Failure, Result, code_of_attach};
use crate::output::print;
use crate::ps;
use luasnap_capture::process::{AttachErrorKind, lua_process, processes_named};
use luasnap_format::printable;
use luasnap_words::Sentence;
use std::path::Path;

/// A process by its id, or by a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProcessArgument {
    /// Its id.
    Id(u32),
    /// The name of its program.
    Name(String),
}

impl ProcessArgument {
    /// Reads what the user typed.
    pub fn parse(text: &str) -> Result<ProcessArgument, Sentence> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let id = text.parse().map_err(|_| Sentence::new("pid.too_large"));
            return Ok(ProcessArgument::Id(id?));
        }
        if text.is_empty() {
            return Err(Sentence::new("pid.missing"));
        }
        // Names of programs that run are found without their folders.
        if text.contains('/') || text.ends_with(".luasnap") {
            let name = Path::new(text).file_name().unwrap_or_default();
            return Err(match Path::new(text).is_file() {
                true => Sentence::new("pid.file").with("file", printable(text.as_bytes())),
                false => {
                    let name = printable(name.as_encoded_bytes());
                    Sentence::new("pid.folder").with("name", name)
                }
            });
        }
        Ok(ProcessArgument::Name(text.to_owned()))
    }

    /// Returns the process's id. Of several processes with the name, only those that have a Lua state count; where
    /// that leaves several, they are listed, and the user is asked for one.
    pub fn find(&self) -> Result<u32> {
        let name = match self {
            ProcessArgument::Id(id) => return Ok(*id),
            ProcessArgument::Name(name) => name,
        };
        let shown = printable(name.as_bytes());
        let ids = processes_named(name);
        if let [id] = ids[..] {
            return Ok(id);
        }
        if ids.is_empty() {
            let none = Sentence::new("pid.no_such_name").with("name", shown);
            let code = code_of_attach(AttachErrorKind::NoSuchProcess);
            return Err(Failure::with_code(&none, code));
        }
        let processes: Vec<_> = ids.iter().copied().filter_map(lua_process).collect();
        match &processes[..] {
            [process] => Ok(process.pid),
            [] => {
                let none = Sentence::new("pid.no_lua_state")
                    .with("count", ids.len())
                    .with("name", shown);
                let code = code_of_attach(AttachErrorKind::NoLuaState);
                Err(Failure::with_code(&none, code))
            }
            several => {
                print(ps::as_text(several).text())?;
                let which = Sentence::new("pid.several")
                    .with("count", several.len())
                    .with("name", shown);
                Err(Failure::with_code(&which, SEVERAL_PROCESSES))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_names_and_files_are_told_apart() {
        let parse = ProcessArgument::parse;
        assert_eq!(parse("4711"), Ok(ProcessArgument::Id(4711)));
        for name in ["nginx", "lua5.4", "redis-server", "4x"] {
            assert_eq!(parse(name), Ok(ProcessArgument::Name(name.to_owned())));
        }
        for (text, start) in [
            ("", "give the id"),
            ("99999999999", "no process has"),
            (
                "/no/such/nginx",
                "give the id of a process, or its name without folders: nginx",
            ),
            ("gone.luasnap", "give the id of a process"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(start), "{text}: {error}");
        }
        let file = tempfile::Builder::new().suffix(".luasnap").tempfile();
        let file = file.unwrap();
        let path = file.path().to_str().unwrap();
        let error = parse(path).unwrap_err().to_string();
        assert!(error.contains(&format!("`luasnap top {path}`")), "{error}");
    }
}
