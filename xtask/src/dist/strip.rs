//! Programs without their debug information, which goes into files beside them.

use crate::dist::system::System;
use crate::process;
use anyhow::Result;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Takes the debug information out of a program into another file, which the stripped program then names.
pub fn split(from: &Path, program: &Path, debug: &Path) -> Result<()> {
    let call = || {
        let (objcopy, libraries) = objcopy();
        let mut command = Command::new(objcopy);
        command.env("LD_LIBRARY_PATH", libraries);
        command
    };
    process::output(call().arg("--only-keep-debug").arg(from).arg(debug))?;
    let mut link = OsString::from("--add-gnu-debuglink=");
    link.push(debug);
    process::output(call().arg("--strip-all").arg(link).arg(from).arg(program))?;
    Ok(())
}

/// LLVM's objcopy, which knows every machine, and the folder of its libraries: Rust's own, else an installed one.
pub fn objcopy() -> (PathBuf, PathBuf) {
    let mut rustc = Command::new("rustc");
    let own = process::output(rustc.args(["--print", "sysroot"]));
    let libraries = own.ok().and_then(|folder| {
        let folder = String::from_utf8(folder).ok()?;
        Some(PathBuf::from(folder.trim()).join("lib"))
    });
    let libraries = libraries.unwrap_or_default();
    let own = format!(
        "rustlib/{}/bin/rust-objcopy",
        System::of_this_machine().target()
    );
    let own = libraries.join(own);
    match own.is_file() {
        true => (own, libraries),
        false => ("llvm-objcopy".into(), PathBuf::new()),
    }
}
