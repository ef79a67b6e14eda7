//! `luasnap run`: runs a script, and reports what it left behind.

use crate::module_file;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use luasnap_capture::{Chunk, Interpreter};
use std::ffi::{OsStr, OsString};
use std::hint::black_box;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// What every interpreter runs, the embedded one and any installed one: see there for its
/// arguments.
const DRIVER: &str = include_str!("run.lua");

/// An interpreter is there but cannot be started, ...
const NOT_STARTED: u8 = 126;
/// ... or is not there, as shells have it.
const NOT_FOUND: u8 = 127;

const MORE_HELP: &str = "\
Exit codes:
  0    the script ran to its end
  1    the script raised an error, or cannot be loaded
  2    luasnap was called wrongly
  125  luasnap itself failed
  126  the interpreter cannot be started
  127  the interpreter was not found
A script that calls os.exit chooses its own; the report is written all the same.

Environment:
  LUASNAP_MODULE  the Lua module's file for --lua, where luasnap does not find it by itself";

/// Run a Lua script, then report what it left behind
///
/// Runs SCRIPT as `lua` would, in a Lua 5.4 that luasnap brings with it; `require "snapshot"`
/// works there. What the script left behind in memory is reported on standard output when it
/// ends: the biggest groups of new objects first, each with the chain that holds it.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = MORE_HELP)]
pub struct Run {
    /// Write no report
    #[arg(short, long)]
    quiet: bool,

    /// Run the script in this interpreter instead (lua5.1, luajit, /opt/lua/bin/lua, ...)
    #[arg(long, value_name = "INTERPRETER")]
    lua: Option<OsString>,

    /// The Lua script ("-" reads it from standard input)
    script: OsString,

    /// What the script gets as arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

impl Run {
    /// Does it. The exit code is the script's.
    pub fn execute(self) -> Result<ExitCode> {
        match &self.lua {
            None => self.run_embedded(),
            Some(interpreter) => self.run_installed(interpreter),
        }
    }

    fn run_embedded(&self) -> Result<ExitCode> {
        keep_lua();
        let words: Vec<OsString> = std::env::args_os().collect();
        let before = &words[..words.len() - 1 - self.args.len()];
        let arguments: Vec<_> = self
            .driver_arguments(OsStr::new(""), OsStr::new(""), before)
            .into_iter()
            .map(OsString::into_vec)
            .collect();
        let chunk = Chunk {
            name: c"=luasnap",
            source: DRIVER,
            arguments: &arguments,
        };
        let mut lua = Interpreter::new().map_err(|problem| anyhow!(problem))?;
        lua.run(&snapshot::MODULE, chunk)
            .map_err(|problem| anyhow!(problem))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Becomes the interpreter, so that signals, standard input and the way it ends are its own.
    fn run_installed(&self, interpreter: &OsStr) -> Result<ExitCode> {
        let module = module_file::find()?;
        let driver = write_driver().context("cannot write a temporary file")?;
        let path = driver.path().as_os_str().to_owned();
        let problem = Command::new(interpreter)
            .arg(&path)
            .args(self.driver_arguments(module.as_os_str(), &path, &[]))
            .exec();
        Ok(ExitCode::from(not_started(interpreter, &problem)))
    }

    fn driver_arguments(
        &self,
        module: &OsStr,
        driver: &OsStr,
        before: &[OsString],
    ) -> Vec<OsString> {
        let quiet = if self.quiet { "quiet" } else { "" };
        let head = [
            module.into(),
            driver.into(),
            quiet.into(),
            before.len().to_string().into(),
        ];
        let script = std::iter::once(&self.script).chain(&self.args);
        head.into_iter()
            .chain(before.iter().chain(script).cloned())
            .collect()
    }
}

/// Makes the linker take Lua, and with these two functions all of it; it is called by name only,
/// through what the executable exports.
fn keep_lua() {
    black_box(mlua_sys::luaL_newstate as *const ());
    black_box(mlua_sys::luaL_openlibs as *const ());
}

/// The driver in a file, which removes itself once it runs; until then dropping removes it.
fn write_driver() -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix("luasnap-")
        .suffix(".lua")
        .tempfile()?;
    file.write_all(DRIVER.as_bytes())?;
    Ok(file)
}

/// Says why an interpreter does not run, and gives the exit code for that.
fn not_started(interpreter: &OsStr, problem: &io::Error) -> u8 {
    let name = Path::new(interpreter).display();
    if problem.kind() == io::ErrorKind::NotFound {
        eprintln!(
            "luasnap: there is no interpreter {name} (on the PATH, or at that path): install it, \
             or leave out --lua to use the Lua 5.4 that luasnap brings with it"
        );
        return NOT_FOUND;
    }
    eprintln!("luasnap: the interpreter {name} cannot be started: {problem}");
    NOT_STARTED
}
