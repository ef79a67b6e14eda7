//! The cargo that runs this.

use crate::sources::workspace;
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// A call of cargo in the repository.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(workspace());
    command
}

/// The folder of what it builds.
pub fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    workspace().join(target.unwrap_or_else(|| "target".into()))
}
