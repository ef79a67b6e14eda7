//! Runs a changed VM, and captures it from inside and from outside at the same moment.

use super::build::{Built, programs};
use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A changed VM may never end. One that works takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// Exit codes for no Lua state, and for none with a known layout.
const NO_STATE: i32 = 15;
const UNSUPPORTED: i32 = 16;

/// Our own programs, as cargo built them.
pub struct Programs {
    /// The module `compare`.
    pub compare: PathBuf,
    /// The program that starts another program and attaches to it.
    pub attached: PathBuf,
}

/// A heap as lines of text, or a sentence why there is none.
pub type Listing = Result<String, String>;

/// The outcome of a run.
pub enum Ran {
    /// The VM no longer works; why.
    Broken(String),
    /// It was examined.
    Examined(Examined),
    /// It worked until it was examined, and then did not continue.
    Harmed(String),
}

/// What was found in a VM.
pub struct Examined {
    /// Why the module cannot be loaded there, if it cannot.
    pub module: Result<(), String>,
    pub portable: Listing,
    pub native: Listing,
    pub attached: Listing,
    /// The objects according to the VM's own headers.
    pub dump: String,
}

/// Runs the script in a built VM.
pub fn run(programs_of_ours: &Programs, built: &Built) -> Result<Ran> {
    let folder = &built.folder;
    symlink(&programs_of_ours.compare, folder.join("compare.so")).context("cannot make a link")?;
    let said = File::create(folder.join("said")).context("cannot make a file")?;
    let mut child = Command::new(&programs_of_ours.attached)
        .args(["attached", "./host"])
        .arg(programs().join("script.lua"))
        .current_dir(folder)
        .env("LUA_CPATH", "./?.so")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said)
        .process_group(0)
        .spawn()
        .context("cannot start a program of ours")?;
    let status = wait(&mut child)?;
    let said = text(&folder.join("said")).unwrap_or_default();
    let Some(status) = status else {
        return Ok(if folder.join("examining").exists() {
            Ran::Harmed("it did not come to an end while it was examined".into())
        } else {
            Ran::Broken("it did not come to an end".into())
        });
    };
    if !folder.join("examining").exists() {
        return Ok(Ran::Broken(said));
    }
    let Some(dump) = text(&folder.join("dump")) else {
        return Ok(Ran::Harmed(said));
    };
    let listing = |name: &str| {
        let refusal = || text(&folder.join(format!("{name}-refused"))).unwrap_or_default();
        text(&folder.join(name)).ok_or_else(refusal)
    };
    let attached = match status.code() {
        Some(0) => text(&folder.join("attached")).ok_or_else(String::new),
        Some(NO_STATE | UNSUPPORTED) => Err(said),
        _ => return Ok(Ran::Harmed(said)),
    };
    Ok(Ran::Examined(Examined {
        module: text(&folder.join("module-refused")).map_or(Ok(()), Err),
        portable: listing("portable"),
        native: listing("native"),
        attached,
        dump,
    }))
}

/// Waits for a child to end, and kills it after `PATIENCE` with what it started; then returns `None`.
fn wait(child: &mut Child) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child")? {
            return Ok(Some(status));
        }
        if start.elapsed() > PATIENCE {
            let group = Pid::from_raw(child.id() as i32);
            killpg(group, Signal::SIGKILL).context("cannot kill a child")?;
            child.wait().context("cannot wait for a child")?;
            return Ok(None);
        }
        sleep(POLL);
    }
}

/// Returns the contents of a file; `None` if it is missing or empty.
fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}
