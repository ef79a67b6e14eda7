//! Debian's ordinary apt client in a folder of our own. It downloads from the servers that this machine is configured
//! for: nothing is installed, and the machine's configuration is not changed.

use crate::process;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folder of the machine's own configuration.
const CONFIGURATION: &str = "/etc/apt";
/// What the newer releases of packages for a Debian are called, behind its codename.
const BACKPORTS: &str = "-backports";

/// What is looked for on the servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Sources.
    Sources,
    /// Packages, also those that were taken over from the next Debian.
    Packages,
}

impl Kind {
    /// As apt's configuration has it.
    fn name(self) -> &'static str {
        match self {
            Kind::Sources => "deb-src",
            Kind::Packages => "deb",
        }
    }
}

/// apt, and what it downloaded.
pub struct Apt {
    folder: PathBuf,
    options: Vec<String>,
}

impl Apt {
    /// Sets it up in a folder, and fetches the lists of what there is.
    pub fn new(folder: &Path, kind: Kind) -> Result<Apt> {
        Apt::with_options(folder, kind, Vec::new())
    }

    /// The same for packages of a machine on which nothing is installed; `architecture` is Debian's name of it.
    pub fn of_machine(folder: &Path, architecture: &str) -> Result<Apt> {
        let status = folder.join("status");
        let make = || {
            fs::create_dir_all(folder)?;
            fs::write(&status, "")
        };
        make().with_context(|| format!("cannot write {}", status.display()))?;
        let options = [
            format!("APT::Architecture={architecture}"),
            format!("APT::Architectures={architecture}"),
            format!("Dir::State::status={}", status.display()),
        ];
        Apt::with_options(folder, Kind::Packages, options.into())
    }

    fn with_options(folder: &Path, kind: Kind, own: Vec<String>) -> Result<Apt> {
        let mut options = vec![
            "Dir::Etc::SourceList=/dev/null".into(),
            // As root, apt would download as a user who cannot enter our folder.
            "APT::Sandbox::User=root".into(),
            "Acquire::Retries=3".into(),
            "Debug::NoLocking=1".into(),
        ];
        for (option, name, made) in [
            ("Dir::Etc::SourceParts", "servers", ""),
            ("Dir::State::Lists", "lists", "partial"),
            ("Dir::Cache", "cache", "archives/partial"),
        ] {
            let path = folder.join(name);
            let made = path.join(made);
            fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
            options.push(format!("{option}={}", path.display()));
        }
        options.extend(own);
        let apt = Apt {
            folder: folder.into(),
            options,
        };
        apt.configure(kind)?;
        apt.run(&["update"])?;
        Ok(apt)
    }

    /// Makes it look on the servers that the machine uses for packages.
    fn configure(&self, kind: Kind) -> Result<()> {
        let codename = codename()?;
        let mut has_some = false;
        for path in configuration_files() {
            let text = fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            let is_stanzas = path
                .extension()
                .is_some_and(|extension| extension == "sources");
            let entries = if is_stanzas {
                stanzas(&text, &codename, kind)
            } else {
                lines(&text, &codename, kind)
            };
            has_some |= !entries.is_empty();
            let name = path.file_name().context("a file without a name")?;
            fs::write(self.folder.join("servers").join(name), entries)?;
        }
        ensure!(
            has_some,
            "no server of {codename} is configured in {CONFIGURATION}"
        );
        Ok(())
    }

    /// Runs `apt-get` in the folder.
    pub fn run(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("apt-get");
        command.arg("-qq").current_dir(&self.folder);
        for option in &self.options {
            command.args(["-o", option]);
        }
        process::output(command.args(arguments)).context("cannot fetch Debian's packages")?;
        Ok(())
    }

    /// Downloads packages, and those that they need and the machine has not, and unpacks them all into a folder.
    pub fn unpack(&self, packages: &[&str], into: &Path) -> Result<()> {
        let archives = self.folder.join("cache/archives");
        let only = [
            "install",
            "--download-only",
            "--no-install-recommends",
            "--yes",
        ];
        self.run(&["clean"])?;
        self.run(&[&only, packages].concat())?;
        unpack_all(&archives, into)
    }

    /// Downloads these packages alone, and unpacks them into a folder.
    pub fn unpack_alone(&self, packages: &[&str], into: &Path) -> Result<()> {
        self.run(&[&["download"], packages].concat())?;
        unpack_all(&self.folder, into)
    }
}

/// Unpacks the packages in a folder, and removes them.
fn unpack_all(folder: &Path, into: &Path) -> Result<()> {
    let entries = fs::read_dir(folder);
    let entries = entries.with_context(|| format!("cannot list {}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|extension| extension == "deb") {
            let mut command = Command::new("dpkg-deb");
            process::output(command.arg("--extract").arg(&path).arg(into))
                .with_context(|| format!("cannot unpack {}", path.display()))?;
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// The codename of this Debian: `bookworm`.
pub fn codename() -> Result<String> {
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

/// Turns `deb URI SUITE …` into `deb-src URI SUITE …`, and leaves out other servers; for packages, adds the suite of
/// backports to what has the Debian itself.
fn lines(text: &str, codename: &str, kind: Kind) -> String {
    let packages = text.lines().filter_map(|line| line.strip_prefix("deb "));
    let ours = packages.filter(|line| line.split_whitespace().any(|word| is_ours(word, codename)));
    let entries = ours.flat_map(|line| {
        let has_it = line.split_whitespace().any(|word| word == codename);
        let more = (kind == Kind::Packages && has_it).then(|| {
            line.replace(
                &format!(" {codename} "),
                &format!(" {codename}{BACKPORTS} "),
            )
        });
        [Some(line.to_owned()), more]
    });
    let name = kind.name();
    entries
        .flatten()
        .map(|line| format!("{name} {line}\n"))
        .collect()
}

/// Does the same for the newer format, in which an entry is a stanza of fields.
fn stanzas(text: &str, codename: &str, kind: Kind) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = Vec::from_iter(lines);
    let mut entries = String::new();
    for stanza in lines.split(|line| line.trim().is_empty()) {
        let suites = stanza.iter().find_map(|line| line.strip_prefix("Suites:"));
        let suites = Vec::from_iter(suites.unwrap_or("").split_whitespace());
        if !suites.iter().any(|suite| is_ours(suite, codename)) {
            continue;
        }
        entries += &format!("Types: {}\n", kind.name());
        for line in stanza.iter().filter(|line| !line.starts_with("Types:")) {
            entries += line;
            let has_it = line.starts_with("Suites:") && suites.contains(&codename);
            if has_it && kind == Kind::Packages {
                entries += &format!(" {codename}{BACKPORTS}");
            }
            entries.push('\n');
        }
        entries.push('\n');
    }
    entries
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
    fn lines_of_this_debian_are_taken_over() {
        let text = "# A comment\n\
                    deb [signed-by=/key] mirror:/debian bookworm main contrib\n\
                    deb-src mirror:/debian bookworm main\n\
                    deb mirror:/debian bookworm-security main\n\
                    deb other:/apt tool-bookworm main\n";
        let sources = "deb-src [signed-by=/key] mirror:/debian bookworm main contrib\n\
                       deb-src mirror:/debian bookworm-security main\n";
        assert_eq!(lines(text, "bookworm", Kind::Sources), sources);
        let packages = "deb [signed-by=/key] mirror:/debian bookworm main contrib\n\
                        deb [signed-by=/key] mirror:/debian bookworm-backports main contrib\n\
                        deb mirror:/debian bookworm-security main\n";
        assert_eq!(lines(text, "bookworm", Kind::Packages), packages);
    }

    #[test]
    fn stanzas_of_this_debian_are_taken_over() {
        let text = "Types: deb\n# A comment\nURIs: mirror:/debian\n\
                    Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /key\n\n\
                    Types: deb\nURIs: mirror:/security\nSuites: bookworm-security\n\n\
                    Types: deb\nURIs: other:/apt\nSuites: stable\n";
        let expected = |kind, more| {
            format!(
                "Types: {kind}\nURIs: mirror:/debian\n\
                 Suites: bookworm bookworm-updates{more}\nComponents: main\nSigned-By: /key\n\n\
                 Types: {kind}\nURIs: mirror:/security\nSuites: bookworm-security\n\n"
            )
        };
        assert_eq!(
            stanzas(text, "bookworm", Kind::Sources),
            expected("deb-src", "")
        );
        let packages = expected("deb", " bookworm-backports");
        assert_eq!(stanzas(text, "bookworm", Kind::Packages), packages);
    }
}
