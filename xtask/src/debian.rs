//! Debian's own sources of the VMs, with its patches. The ordinary apt client downloads them to a
//! temporary folder, from the servers that this machine is configured for: nothing is installed,
//! and the configuration is not changed.

use crate::apt::{Apt, Kind};
use crate::process;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// Source packages that were downloaded. They are deleted when this is dropped.
pub struct Sources {
    scratch: TempDir,
}

/// A source package.
pub struct Source {
    /// The upstream version: `7.0.15`.
    pub version: String,
    /// The folder of its files.
    pub folder: PathBuf,
}

impl Sources {
    /// Downloads source packages.
    pub fn download(names: &[&str]) -> Result<Sources> {
        let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
        let apt = Apt::new(scratch.path(), Kind::Sources)?;
        apt.run(&[&["source", "--download-only"], names].concat())?;
        Ok(Sources { scratch })
    }

    /// Unpacks one of them.
    pub fn unpack(&self, name: &str) -> Result<Source> {
        let folder = self.path(name);
        let file = self.description(name)?;
        let mut command = Command::new("dpkg-source");
        command.arg("--extract").arg(&file).arg(&folder);
        process::output(&mut command)
            .context("cannot unpack a source package (the package dpkg-dev is needed)")?;
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let version = stem.and_then(|stem| stem.strip_prefix(name)?.strip_prefix('_'));
        let version = version.with_context(|| format!("{} is no name", file.display()))?;
        // What follows the last hyphen is Debian's revision.
        let (version, _) = version.rsplit_once('-').unwrap_or((version, ""));
        let version = version.into();
        Ok(Source { version, folder })
    }

    /// Returns the file that describes a source package.
    fn description(&self, name: &str) -> Result<PathBuf> {
        let prefix = format!("{name}_");
        let entries = fs::read_dir(self.scratch.path()).context("cannot list what was fetched")?;
        let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_it = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(&prefix) && name.ends_with(".dsc"))
        };
        let path = paths.find(is_it);
        path.with_context(|| format!("apt-get did not download the source of {name}"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}
