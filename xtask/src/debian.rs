//! Debian's own sources of the VMs, with its patches. The ordinary apt client downloads them to a
//! temporary folder, from the servers that this machine is configured for: nothing is installed,
//! and the configuration is not changed.

use crate::process;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Folder of apt's configuration.
const CONFIGURATION: &str = "/etc/apt";

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
        let sources = Sources { scratch };
        for folder in ["servers", "lists/partial", "cache/archives/partial"] {
            let folder = sources.path(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        sources.configure()?;
        sources.apt(&["update"])?;
        sources.apt(&[&["source", "--download-only"], names].concat())?;
        Ok(sources)
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

    /// Makes apt look for sources on the servers that it uses for packages.
    fn configure(&self) -> Result<()> {
        let codename = codename()?;
        let mut has_some = false;
        for path in configuration_files() {
            let text = fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            let is_stanzas = path
                .extension()
                .is_some_and(|extension| extension == "sources");
            let entries = if is_stanzas {
                source_stanzas(&text, &codename)
            } else {
                source_lines(&text, &codename)
            };
            has_some |= !entries.is_empty();
            let name = path.file_name().context("a file without a name")?;
            fs::write(self.path("servers").join(name), entries)?;
        }
        ensure!(
            has_some,
            "no server of {codename} is configured in {CONFIGURATION}"
        );
        Ok(())
    }

    fn apt(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("apt-get");
        command.args(["-qq", "-o", "Dir::Etc::SourceList=/dev/null"]);
        for (option, folder) in [
            ("Dir::Etc::SourceParts", "servers"),
            ("Dir::State::Lists", "lists"),
            ("Dir::Cache", "cache"),
        ] {
            let path = self.path(folder);
            command.args(["-o", &format!("{option}={}", path.display())]);
        }
        // As root, apt would download as a user who cannot enter our folder.
        command.args(["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]);
        command.args(arguments).current_dir(self.scratch.path());
        process::output(&mut command).context("cannot fetch Debian's sources")?;
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

/// The codename of this Debian: `bookworm`.
fn codename() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let mut lines = text.lines();
    let name = lines.find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let name = name.context("/etc/os-release does not tell the VERSION_CODENAME")?;
    Ok(name.trim_matches('"').into())
}

/// The files that configure apt's servers.
fn configuration_files() -> Vec<PathBuf> {
    let folder = Path::new(CONFIGURATION);
    let parts = fs::read_dir(folder.join("sources.list.d"));
    let parts = parts.into_iter().flatten().flatten();
    let mut paths: Vec<_> = parts.map(|entry| entry.path()).collect();
    paths.push(folder.join("sources.list"));
    paths.retain(|path| {
        let extension = path.extension();
        path.is_file() && extension.is_some_and(|is| is == "list" || is == "sources")
    });
    paths
}

/// Turns `deb URI SUITE …` into `deb-src URI SUITE …`, and leaves out other servers.
fn source_lines(text: &str, codename: &str) -> String {
    let packages = text.lines().filter_map(|line| line.strip_prefix("deb "));
    let ours = packages.filter(|line| line.split_whitespace().any(|word| is_ours(word, codename)));
    ours.map(|line| format!("deb-src {line}\n")).collect()
}

/// Does the same for the newer format, in which an entry is a stanza of fields.
fn source_stanzas(text: &str, codename: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = Vec::from_iter(lines);
    let stanzas = lines.split(|line| line.trim().is_empty());
    let ours = stanzas.filter(|stanza| {
        let suites = stanza.iter().find_map(|line| line.strip_prefix("Suites:"));
        let mut suites = suites.unwrap_or("").split_whitespace();
        suites.any(|suite| is_ours(suite, codename))
    });
    let as_sources = |stanza: &[&str]| {
        let others = stanza.iter().filter(|line| !line.starts_with("Types:"));
        let others: String = others.map(|line| format!("{line}\n")).collect();
        format!("Types: deb-src\n{others}\n")
    };
    ours.map(as_sources).collect()
}

/// Whether it is a suite of this Debian: `bookworm`, `bookworm-security`.
fn is_ours(suite: &str, codename: &str) -> bool {
    let rest = suite.strip_prefix(codename);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_this_debian_become_sources() {
        let text = "# A comment\n\
                    deb [signed-by=/key] mirror:/debian bookworm main contrib\n\
                    deb-src mirror:/debian bookworm main\n\
                    deb mirror:/debian bookworm-security main\n\
                    deb other:/apt tool-bookworm main\n";
        let expected = "deb-src [signed-by=/key] mirror:/debian bookworm main contrib\n\
                        deb-src mirror:/debian bookworm-security main\n";
        assert_eq!(source_lines(text, "bookworm"), expected);
    }

    #[test]
    fn stanzas_of_this_debian_become_sources() {
        let text = "Types: deb\n# A comment\nURIs: mirror:/debian\n\
                    Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /key\n\n\
                    Types: deb\nURIs: other:/apt\nSuites: stable\n";
        let expected = "Types: deb-src\nURIs: mirror:/debian\n\
                        Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /key\n\n";
        assert_eq!(source_stanzas(text, "bookworm"), expected);
    }
}
