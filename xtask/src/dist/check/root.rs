//! Roots with nothing in them but a distribution's base and some Luas, into which we change.

use crate::apt::Apt;
use crate::dist::system::Machine;
use crate::dist::toolchain::Toolchain;
use crate::folder::whole;
use crate::process;
use crate::puc::Release;
use crate::sources;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's oldest release that the servers still have: glibc 2.31. It and the Luas that it has.
const DEBIAN: &str = "bullseye";
const DEBIAN_LUAS: [&str; 5] = ["lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit"];
/// A host of a few lines for the Luas that are built for musl.
const HOST: &str = include_str!("lua.c");

/// A root.
pub struct Root {
    pub folder: PathBuf,
    /// Programs in it that are Luas.
    pub luas: Vec<String>,
    enter: Enter,
}

/// How a program of a root runs.
enum Enter {
    /// As root, in it.
    Change,
    /// By this emulator, which looks there for its libraries.
    Emulate(PathBuf),
}

impl Root {
    /// Debian's, made by debootstrap unless it is there. It needs root.
    pub fn debian(parent: &Path) -> Result<Root> {
        let folder = parent.join(DEBIAN);
        whole(&folder, |into| {
            let mut debootstrap = Command::new("debootstrap");
            debootstrap.arg("--variant=minbase");
            debootstrap.arg(format!("--include={}", DEBIAN_LUAS.join(",")));
            process::output(debootstrap.arg(DEBIAN).arg(into)).context(
                "cannot make a root of Debian (root and the package debootstrap are needed)",
            )?;
            Ok(())
        })?;
        Ok(Root {
            folder,
            luas: DEBIAN_LUAS.map(str::to_owned).into(),
            enter: Enter::Change,
        })
    }

    /// One of Debian's musl, a shell, and Luas that are built for it. `machine` is this one, or an emulated one.
    pub fn musl(
        parent: &Path,
        toolchain: &Toolchain,
        machine: Machine,
        emulator: Option<&Path>,
    ) -> Result<Root> {
        let folder = parent.join(format!("musl-{}", machine.name()));
        let releases = newest(sources::puc()?);
        whole(&folder, |into| {
            let apt = parent.join(format!("apt-{}", machine.name()));
            Apt::of_machine(&apt, machine.debian())?
                .unpack_alone(&["musl", "busybox-static"], into)?;
            for name in ["dev", "proc", "tmp"] {
                fs::create_dir_all(into.join(name)).context("cannot make a folder")?;
            }
            for name in ["sh", "cat", "env", "grep", "rm", "sleep"] {
                symlink("busybox", into.join("bin").join(name)).context("cannot make a link")?;
            }
            let host = into.join("tmp/lua.c");
            fs::write(&host, HOST).context("cannot write a C file")?;
            for (name, sources) in &releases {
                build_lua(
                    toolchain,
                    machine,
                    sources,
                    &host,
                    &into.join("bin").join(name),
                )
                .with_context(|| format!("cannot build {name} for musl"))?;
            }
            Ok(())
        })?;
        let luas = releases.into_keys().collect();
        Ok(Root {
            folder,
            luas,
            enter: emulator.map_or(Enter::Change, |one| Enter::Emulate(one.into())),
        })
    }

    /// The root of an emulated machine.
    pub fn emulated(folder: &Path, emulator: &Path, luas: &[&str]) -> Root {
        let luas = luas.iter().map(|&lua| lua.to_owned()).collect();
        Root {
            folder: folder.into(),
            luas,
            enter: Enter::Emulate(emulator.into()),
        }
    }

    /// A folder in it, empty.
    pub fn empty(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// A call of a program in it.
    pub fn call(&self, program: &str) -> Command {
        match &self.enter {
            Enter::Change => {
                // The mounts are gone when the program ends.
                let mut command = Command::new("unshare");
                command.args(["--mount", "sh", "-c"]);
                command.arg(
                    "mount -t proc proc \"$0/proc\" && mount --bind /dev \"$0/dev\" && \
                     exec chroot \"$@\"",
                );
                // As `$0`, and as the first argument of chroot.
                command.arg(&self.folder).arg(&self.folder).arg(program);
                command
                    .env_clear()
                    .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
                command
            }
            Enter::Emulate(emulator) => {
                let mut command = Command::new(emulator);
                command.arg("-L").arg(&self.folder);
                command.arg(self.folder.join(program.trim_start_matches('/')));
                command
            }
        }
    }
}

/// The newest release of each version, by the name of its program: `lua5.4`, with the folder of its sources.
fn newest(releases: BTreeMap<Release, PathBuf>) -> BTreeMap<String, PathBuf> {
    let named =
        |(release, folder): (Release, PathBuf)| (format!("lua{}.{}", release.0, release.1), folder);
    releases.into_iter().map(named).collect() // the last of each name is left
}

/// Compiles a Lua that loads C modules.
fn build_lua(
    toolchain: &Toolchain,
    machine: Machine,
    sources: &Path,
    host: &Path,
    program: &Path,
) -> Result<()> {
    let entries =
        fs::read_dir(sources).with_context(|| format!("cannot list {}", sources.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let parts = paths.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".c") && !matches!(&*name, "lua.c" | "luac.c")
    });
    let mut parts = Vec::from_iter(parts);
    parts.sort();
    let mut compiler = toolchain.c_compiler(&format!("{}-linux-musl", machine.name()));
    compiler.args(["-dynamic", "-rdynamic", "-O1", "-fno-sanitize=all", "-w"]);
    compiler
        .args(["-DLUA_USE_POSIX", "-DLUA_USE_DLOPEN", "-I"])
        .arg(sources);
    compiler
        .arg(host)
        .args(parts)
        .arg("-lm")
        .arg("-o")
        .arg(program);
    process::output(&mut compiler)?;
    Ok(())
}
