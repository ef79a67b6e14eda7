//! `luasnap run`: runs a script, and reports what it left behind.

use crate::about::{about_file, about_folder};
use crate::exit_code::{NOT_FOUND, NOT_STARTED};
use crate::failure::Result;
use crate::kept_files::make_folder;
use crate::look;
use crate::module_file;
use crate::output::report_problem;
use crate::output_file::warning;
use clap::Args;
use luasnap_capture::{Chunk, EmbeddedLua};
use luasnap_format::{is_standard_output, printable, printable_path, readable_by_others};
use luasnap_words::{Sentence, Spoken};
use std::ffi::{OsStr, OsString};
use std::hint::black_box;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// The script that every interpreter runs, the embedded one and any installed one; it documents its
/// arguments.
const DRIVER: &str = include_str!("run.lua");
/// What the driver puts a reason in the place of, and the name of a module.
const REASON: &str = "{reason}";
const NAME: &str = "{name}";

const MORE_HELP: &str = "\
Exit codes:
  0    the script ran to its end
  1    the script raised an error, or cannot be loaded
  2    luasnap was called wrongly
  125  luasnap itself failed, or a snapshot cannot be saved, or the report cannot be written
  126  the interpreter cannot be started
  127  the interpreter was not found
  128 + n  signal n ended the script: Ctrl-C (130), SIGTERM (143) or SIGHUP (129). That takes until a call
       that waits has come back; a second signal ends luasnap at once
A script that calls os.exit chooses its own; the report and the snapshot are written all the same.

Environment:
  LUASNAP_MODULE  the Lua module's file for --lua, where luasnap does not find it by itself";

/// Run a Lua script, then report what it left behind
///
/// Runs SCRIPT as `lua` would, in a Lua 5.4 that luasnap brings with it; `require "snapshot"`
/// works there. What the script left behind in memory is reported on standard output when it
/// ends: the biggest groups of new objects first, each with the path that holds it.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = MORE_HELP)]
pub struct Run {
    /// Write no report
    #[arg(short, long)]
    quiet: bool,

    /// Save a snapshot to this file when the script ends; with --every, many to this folder
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// Save a snapshot this often (5s, 2m, 1h) while the script's main thread runs Lua code, and
    /// one at the end: SCRIPT-DATE-TIME-0001.luasnap and so on. LuaJIT compiles nothing meanwhile
    #[arg(long, value_name = "TIME", value_parser = seconds, requires = "save")]
    every: Option<u64>,

    /// Leave the texts of strings out of what is saved: they may be secrets
    #[arg(long, requires = "save")]
    no_strings: bool,

    /// Leave the names of keys, variables and source files out of what is saved
    #[arg(long, requires = "save")]
    no_names: bool,

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
    /// Runs the command. The exit code is the script's.
    pub fn execute(self) -> Result<ExitCode> {
        match (&self.save, self.every) {
            (Some(folder), Some(_)) => make_folder(folder)?,
            (Some(file), None) => can_be_saved_to(file)?,
            (None, _) => {}
        }
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
            .driver_arguments(OsStr::new(""), before)
            .into_iter()
            .map(OsString::into_vec)
            .collect();
        let chunk = Chunk {
            name: c"=luasnap",
            source: DRIVER,
            arguments: &arguments,
        };
        let failed = |problem| Sentence::new("run.lua").with("reason", problem);
        let mut lua = EmbeddedLua::new().map_err(failed)?;
        lua.run(&snapshot::MODULE, chunk).map_err(failed)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Replaces this process by the interpreter, so that signals, standard input and the exit
    /// status are its own.
    fn run_installed(&self, interpreter: &OsStr) -> Result<ExitCode> {
        let module = module_file::find()?;
        let driver = write_driver().map_err(|problem| {
            about_folder("folder.no_temporary_file", &std::env::temp_dir(), &problem)
        })?;
        let path = driver.path().as_os_str().to_owned();
        let problem = Command::new(interpreter)
            .args([&path, &path])
            .args(self.driver_arguments(module.as_os_str(), &[]))
            .exec();
        Ok(ExitCode::from(not_started(interpreter, &problem)))
    }

    /// Returns the start of the names of many snapshots: the script's name and the time, so that
    /// those of another run are not overwritten.
    fn name_of_many(&self, folder: &Path) -> PathBuf {
        let script = Path::new(&self.script)
            .file_stem()
            .unwrap_or(OsStr::new("script"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let time = OffsetDateTime::from(UNIX_EPOCH + now.unwrap_or_default());
        let (hour, minute, second) = time.to_hms();
        let mut name = script.to_owned();
        name.push(format!("-{}-{hour:02}{minute:02}{second:02}-", time.date()));
        folder.join(name)
    }

    fn driver_arguments(&self, module: &OsStr, before: &[OsString]) -> Vec<OsString> {
        let quiet = if self.quiet { "quiet" } else { "" };
        let path = self.save.clone().unwrap_or_default().into_os_string();
        let no_c_modules = match cfg!(all(target_env = "musl", target_feature = "crt-static")) {
            true if module.is_empty() => {
                said(&Sentence::new("run.no_c_modules").with("name", NAME))
            }
            _ => OsString::new(),
        };
        let (save, every, name) = match self.every {
            None => (path, OsString::new(), OsString::new()),
            Some(seconds) => (
                OsString::new(),
                seconds.to_string().into(),
                self.name_of_many(Path::new(&path)).into_os_string(),
            ),
        };
        let report_to = match &self.save {
            Some(file) if self.every.is_none() && is_standard_output(file) => "stderr",
            _ => "stdout",
        };
        let warning = match (&self.save, self.every) {
            (Some(file), None) => readable_by_others(file).map(|mode| warning(file, mode)),
            _ => None,
        };
        let left_out = match (self.no_strings, self.no_names) {
            (false, false) => "",
            (true, false) => "strings",
            (false, true) => "names",
            (true, true) => "strings,names",
        };
        let script = printable(self.script.as_bytes());
        let title = Sentence::new("run.left_behind").with("script", script);
        let file = printable(module.as_bytes());
        let of_reason = |sentence: Sentence| said(&sentence.with("reason", REASON));
        let head = [
            module.into(),
            quiet.into(),
            save,
            every,
            name,
            left_out.into(),
            report_to.into(),
            warning.as_ref().map(said).unwrap_or_default(),
            look::language().code().into(),
            said(&title),
            said(&Sentence::new("fail.no_memory")),
            of_reason(Sentence::new("run.no_module").with("file", file)),
            of_reason(Sentence::new("run.no_snapshot")),
            of_reason(Sentence::new("run.no_report")),
            no_c_modules,
            before.len().to_string().into(),
        ];
        let script = std::iter::once(&self.script).chain(&self.args);
        head.into_iter()
            .chain(before.iter().chain(script).cloned())
            .collect()
    }
}

/// Returns a sentence as the driver says it.
fn said(sentence: &Sentence) -> OsString {
    look::sentence(sentence).into()
}

/// Reports at once what would otherwise fail only after the script has run.
fn can_be_saved_to(file: &Path) -> Result<()> {
    if file.is_dir() {
        return Err(about_file("run.save_to_folder", file).into());
    }
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match folder.is_dir() {
        true => Ok(()),
        false => Err(about_file("run.no_folder", file)
            .with("folder", printable_path(folder).to_string())
            .into()),
    }
}

/// Parses a time such as `5s`, `2m` or `1h`; returns it in seconds.
fn seconds(text: &str) -> Result<u64, Sentence> {
    let digits = text.trim_end_matches(['s', 'm', 'h']);
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => 0,
    };
    match digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
    {
        None | Some(0) => Err(Sentence::new("quantity.seconds")),
        Some(seconds) => Ok(seconds),
    }
}

/// Makes the linker include Lua, and with these two functions all of it: otherwise it is called
/// only by name, through what the executable exports.
fn keep_lua() {
    black_box(mlua_sys::luaL_newstate as *const ());
    black_box(mlua_sys::luaL_openlibs as *const ());
}

/// The driver in a file. It removes the file named by its first argument, which is itself, once it
/// runs; until then dropping the file removes it.
fn write_driver() -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix("luasnap-run-")
        .suffix(".lua")
        .tempfile()?;
    // Under a name that is always the same, since it is part of groups of objects and their
    // fingerprints.
    write!(
        file,
        "local words = {{ ... }}\n\
         os.remove(words[1])\n\
         local run = (loadstring or load)([=====[{DRIVER}]=====], '=luasnap')\n\
         return run(nil, (table.unpack or unpack)(words, 2))\n"
    )?;
    Ok(file)
}

/// Reports why an interpreter does not run, and returns the exit code for that.
fn not_started(interpreter: &OsStr, problem: &io::Error) -> u8 {
    let name = printable_path(Path::new(interpreter)).to_string();
    if problem.kind() == io::ErrorKind::NotFound {
        report_problem(&Sentence::new("run.no_interpreter").with("name", name));
        return NOT_FOUND;
    }
    report_problem(
        &Sentence::new("run.not_started")
            .with("name", name)
            .with("reason", problem.sentence()),
    );
    NOT_STARTED
}
