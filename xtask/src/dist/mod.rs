//! What people install: built, packed and tried.

mod archive;
mod build;
mod check;
mod contents;
mod deb;
mod entry;
mod notices;
mod release;
mod rock;
mod strip;
mod system;
mod toolchain;
mod wheel;

use crate::cargo::{cargo, target};
use crate::process;
use anyhow::{Context, Result};
use build::Built;
use clap::Args;
use contents::Contents;
use release::Release;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use system::{SYSTEMS, System};
use toolchain::Toolchain;

/// Makes what people install, into target/dist, with a list of SHA-256 sums.
///
/// For each machine and C library: an archive, a wheel, a rock, where there is dpkg a Debian package, and an archive of
/// debug information; and a source rock. It needs Debian on x86-64 and python3 with venv. The compilers are downloaded to
/// target/dist-tools by pip and apt-get; nothing is installed. --check also compares the bytes with those of
/// another folder.
#[derive(Args)]
pub struct Dist {
    /// Only for these systems; the source rock is left out.
    #[arg(long, value_delimiter = ',')]
    only: Vec<System>,
    /// Packs what `cargo build --release` makes for this machine, to try the packing: into target/dist-native.
    #[arg(long, conflicts_with = "only")]
    native: bool,
    /// Tries what was made: in clean roots of Debian 11 and of musl, in an emulator, by pip, dpkg and luarocks, and made
    /// once more from a clone in another folder. With --native only the installers. It needs root, debootstrap and luarocks.
    #[arg(long)]
    check: bool,
    /// The folder of the compilers.
    #[arg(long, value_name = "FOLDER")]
    tools: Option<PathBuf>,
}

impl Dist {
    pub fn execute(&self) -> Result<ExitCode> {
        let start = Instant::now();
        let step = |name: &str| {
            let seconds = start.elapsed().as_secs();
            eprintln!("-- {name} ({}:{:02})", seconds / 60, seconds % 60);
        };
        let release = Release::of_repository()?;
        let work = target().join("dist-work");
        if self.native {
            step("for this machine");
            let built = [native(&work)?];
            let folder = target().join("dist-native");
            step("packages");
            pack_all(&built, true, &release, &folder)?;
            if self.check {
                step("installers");
                check::installs(&folder, &release)?;
            }
            step("done");
            return Ok(ExitCode::SUCCESS);
        }

        step("compilers");
        let systems = match self.only.is_empty() {
            true => &SYSTEMS[..],
            false => &self.only,
        };
        let tools = self.tools.clone();
        let tools = tools.unwrap_or_else(|| target().join("dist-tools"));
        let toolchain = Toolchain::prepare(&tools, systems)?;
        let mut built = Vec::new();
        for &system in systems {
            step(system.name());
            built.push(build::build(
                &toolchain,
                system,
                &work.join(system.name()),
                &target(),
            )?);
        }
        step("packages");
        let folder = target().join("dist");
        pack_all(&built, self.only.is_empty(), &release, &folder)?;
        if self.check {
            for &system in systems {
                step(&format!("{system} in clean roots"));
                check::in_clean_roots(system, &folder, &toolchain, &release)?;
            }
            if systems.contains(&System::of_this_machine()) {
                step("installers");
                check::installs(&folder, &release)?;
            }
            for &system in systems {
                step(&format!("{system} from another folder"));
                check::same_bytes(system, &folder, &tools, &release)?;
            }
        }
        step("done");
        Ok(ExitCode::SUCCESS)
    }
}

/// Packs everything into a folder.
fn pack_all(built: &[Built], with_source: bool, release: &Release, folder: &Path) -> Result<()> {
    let here = System::of_this_machine().machine;
    let own = built.iter().find(|one| one.system.machine == here);
    let contents = Contents::make(own.map(|one| one.program.as_path()))?;
    let mut files = BTreeMap::new();
    for one in built {
        files.extend(pack(one, &contents, release)?);
    }
    if with_source {
        files.extend([rock::pack_source(release)?]);
    }
    write(folder, files)
}

/// What the ordinary compilers make for this machine.
fn native(work: &Path) -> Result<Built> {
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--locked",
        "--package",
        "luasnap",
        "--package",
        "snapshot",
    ]);
    process::show(&mut build)?;
    let of = |name| target().join("release").join(name);
    let from = [&*of("luasnap"), &of("libsnapshot.so")];
    build::split(System::of_this_machine(), from, &work.join("native"))
}

/// All files for a system, by name.
fn pack(
    built: &Built,
    contents: &Contents,
    release: &Release,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::from([
        archive::pack(built, contents, release)?,
        archive::pack_debug(built, release)?,
        wheel::pack(built, contents, release)?,
        rock::pack(built, contents, release)?,
    ]);
    files.extend(deb::pack(built, contents, release)?);
    Ok(files)
}

/// Writes files and the list of their sums into a folder, in which nothing else is left.
fn write(folder: &Path, files: BTreeMap<String, Vec<u8>>) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut sums = String::new();
    for (name, bytes) in files {
        let path = folder.join(&name);
        fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
        let _ = writeln!(sums, "{:x}  {name}", Sha256::digest(&bytes));
        println!("{:>12}  {name}", bytes.len());
    }
    fs::write(folder.join("SHA256SUMS"), sums).context("cannot write SHA256SUMS")
}
