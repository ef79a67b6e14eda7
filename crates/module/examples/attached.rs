//! `attached FILE PROGRAM ARGUMENTS...`: starts a program that embeds Lua, waits until it prints
//! `ready`, captures its heap from outside, and writes that to a file, line by line, for `cargo
//! xtask mutants` to compare. Then the program is killed.
//!
//! Standard error of the program is passed on. If no known Lua state is found, the exit codes are
//! those of `luasnap attach`; if the program was never ready, 1.

mod listing;

use luasnap_capture::process::{AttachErrorKind, AttachOptions, attach};
use luasnap_heap::Snapshot;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::{env, fs};

/// Exit codes for no Lua state, and for none with a known layout.
const NO_STATE: u8 = 15;
const UNSUPPORTED: u8 = 16;

/// The program, killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(file), Some(program)) = (arguments.next(), arguments.next()) else {
        return Err("attached FILE PROGRAM ARGUMENTS...".into());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = Running(command.spawn()?);
    let stdout = running.0.stdout.take().ok_or("no pipe")?;
    let is_ready = |line: Result<String, _>| line.is_ok_and(|line| line == "ready");
    if !BufReader::new(stdout).lines().any(is_ready) {
        let status = running.0.wait()?;
        return Err(format!("the program was never ready: {status}").into());
    }
    let attached = match attach(running.0.id(), AttachOptions::default()) {
        Ok(attached) => attached,
        Err(error) => {
            eprintln!("{error}");
            return Ok(ExitCode::from(match error.kind() {
                AttachErrorKind::NoLuaState => NO_STATE,
                AttachErrorKind::Unsupported => UNSUPPORTED,
                _ => return Err(error.into()),
            }));
        }
    };
    let mut said = String::new();
    for (_, heap) in attached.captures {
        said.push_str(&listing::lines(&Snapshot::new(heap?))?);
    }
    fs::write(file, said)?;
    Ok(ExitCode::SUCCESS)
}
