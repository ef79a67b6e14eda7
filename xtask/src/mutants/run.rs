//! Running a changed VM: from inside and from outside at one moment.

use super::build::{Built, programs};
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A changed VM may never end. One that works takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// No Lua state, and none with structures that are known.
const NO_STATE: i32 = 15;
const UNSUPPORTED: i32 = 16;

/// Our own programs, as cargo built them.
pub struct Programs {
    /// The module `compare`.
    pub compare: PathBuf,
    /// What starts a program and attaches to it.
    pub attached: PathBuf,
}

/// A heap as lines of text, or why there is none: a sentence.
pub type Listing = Result<String, String>;

/// What came of a run.
pub enum Ran {
    /// The VM does not work any more; why.
    Broken(String),
    /// It was examined.
    Examined(Examined),
    /// It worked until it was examined, and did not go on.
    Harmed(String),
}

/// What was found in a VM.
pub struct Examined {
    /// Why the module cannot be had there, where it cannot.
    pub module: Result<(), String>,
    pub portable: Listing,
    pub native: Listing,
    pub attached: Listing,
    /// What the VM's own headers tell.
    pub dump: String,
}

/// Runs the script in a VM that was built.
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

/// Waits for a child's end, and makes it end in time.
fn wait(child: &mut Child) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child")? {
            return Ok(Some(status));
        }
        if start.elapsed() > PATIENCE {
            child.kill().context("cannot kill a child")?;
            child.wait().context("cannot wait for a child")?;
            return Ok(None);
        }
        sleep(POLL);
    }
}

/// What a file has; `None` where there is none, or nothing in it.
fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}
