//! Building the program and the module for a system, and what must hold of both.

use crate::dist::strip;
use crate::dist::system::{GLIBC, Libc, System};
use crate::dist::toolchain::Toolchain;
use crate::process;
use anyhow::{Context, Result, bail, ensure};
use object::read::elf::{ElfFile64, FileHeader};
use object::{Endianness, elf};
use std::fs;
use std::path::{Path, PathBuf};

/// Most bytes of the stripped program.
const PROGRAM_LIMIT: u64 = 10_000_000;
/// Most bytes of the stripped module.
const MODULE_LIMIT: u64 = 3_500_000;

/// What was built for a system, stripped.
pub struct Built {
    pub system: System,
    /// `luasnap`.
    pub program: PathBuf,
    /// `snapshot.so`.
    pub module: PathBuf,
    /// Their debug information.
    pub debug: [PathBuf; 2],
}

impl Built {
    fn in_folder(system: System, folder: &Path) -> Built {
        Built {
            system,
            program: folder.join("luasnap"),
            module: folder.join("snapshot.so"),
            debug: ["luasnap.debug", "snapshot.so.debug"].map(|name| folder.join(name)),
        }
    }
}

/// Builds for a system into a folder. Cargo's own files go to a target directory.
pub fn build(toolchain: &Toolchain, system: System, folder: &Path, target: &Path) -> Result<Built> {
    let run = |packages: &[&str], target: &Path, flags| {
        process::show(&mut toolchain.build(system, packages, target, flags))
            .with_context(|| format!("cannot build {} for {system}", packages.join(" and ")))
    };
    let of = |target: &Path, name| target.join(system.target()).join("dist").join(name);
    let (program, module) = match system.libc {
        Libc::Glibc => {
            run(&["luasnap", "snapshot"], target, "")?;
            (of(target, "luasnap"), of(target, "libsnapshot.so"))
        }
        // The program is static; what a Lua loads cannot be. Each has a target directory, or it would be built anew.
        Libc::Musl => {
            let [apart, shared] =
                ["static", "shared"].map(|name| target.join("dist-musl").join(name));
            run(&["luasnap"], &apart, "-Ctarget-feature=+crt-static")?;
            run(&["snapshot"], &shared, "-Ctarget-feature=-crt-static")?;
            (of(&apart, "luasnap"), of(&shared, "libsnapshot.so"))
        }
    };
    let built = split(system, [&program, &module], folder)?;
    check(&built)?;
    Ok(built)
}

/// Takes the debug information out of a program and a module, into a folder.
pub fn split(system: System, from: [&Path; 2], folder: &Path) -> Result<Built> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let built = Built::in_folder(system, folder);
    let stripped = [&built.program, &built.module];
    for ((from, to), debug) in from.into_iter().zip(stripped).zip(&built.debug) {
        strip::split(from, to, debug)?;
    }
    Ok(built)
}

/// Checks that both are as small as promised, need no library that a system may lack, and have no path of this machine inside.
fn check(built: &Built) -> Result<()> {
    let limits = [
        (&built.program, PROGRAM_LIMIT),
        (&built.module, MODULE_LIMIT),
    ];
    for (file, limit) in limits {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.display();
        ensure!(
            bytes.len() as u64 <= limit,
            "{name} has {} bytes, more than {limit}",
            bytes.len()
        );
        let linked = Linked::of(&bytes).with_context(|| format!("cannot read {name}"))?;
        linked
            .check(built.system, file)
            .with_context(|| format!("{name} is not for any {}", built.system))?;
    }
    for file in limits.map(|(file, _)| file).into_iter().chain(&built.debug) {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        has_no_path(&bytes)
            .with_context(|| format!("{} tells where it was built", file.display()))?;
    }
    Ok(())
}

/// What a file asks of the dynamic linker.
pub struct Linked {
    /// The libraries.
    needs: Vec<String>,
    /// The newest version of glibc of whose symbols it has one.
    pub newest_glibc: Option<(u32, u32)>,
}

impl Linked {
    /// Reads it from a file's bytes.
    pub fn of(bytes: &[u8]) -> Result<Linked> {
        let file = ElfFile64::<Endianness>::parse(bytes)?;
        let (endian, data) = (file.endian(), file.data());
        let sections = file.elf_header().sections(endian, data)?;
        let mut needs = Vec::new();
        if let Some((entries, strings)) = sections.dynamic(endian, data)? {
            let strings = sections.strings(endian, data, strings)?;
            for entry in entries
                .iter()
                .filter(|entry| entry.d_tag.get(endian) == u64::from(elf::DT_NEEDED))
            {
                let offset = u32::try_from(entry.d_val.get(endian))?;
                let name = strings
                    .get(offset)
                    .map_err(|()| anyhow::anyhow!("a library without a name"))?;
                needs.push(String::from_utf8_lossy(name).into_owned());
            }
        }
        let mut newest_glibc = None;
        if let Some((mut libraries, strings)) = sections.gnu_verneed(endian, data)? {
            let strings = sections.strings(endian, data, strings)?;
            while let Some((_, mut versions)) = libraries.next()? {
                while let Some(version) = versions.next()? {
                    let name = version.name(endian, strings)?;
                    newest_glibc = newest_glibc.max(glibc_version(name));
                }
            }
        }
        Ok(Linked {
            needs,
            newest_glibc,
        })
    }

    fn check(&self, system: System, file: &Path) -> Result<()> {
        let is_program = file.file_name().is_some_and(|name| name == "luasnap");
        let mut needs = self.needs.iter();
        match system.libc {
            Libc::Glibc => {
                let of_glibc = [
                    "libc.so.",
                    "libm.so.",
                    "libdl.so.",
                    "libpthread.so.",
                    "librt.so.",
                    "ld-linux",
                ];
                if let Some(other) =
                    needs.find(|name| !of_glibc.iter().any(|one| name.starts_with(one)))
                {
                    bail!("it needs {other}");
                }
                let newest = self.newest_glibc.unwrap_or((0, 0));
                ensure!(newest <= GLIBC, "it needs glibc {}.{}", newest.0, newest.1);
            }
            Libc::Musl if is_program => ensure!(self.needs.is_empty(), "it is not static"),
            Libc::Musl => {
                if let Some(other) = needs.find(|name| !is_musl(name)) {
                    bail!("it needs {other}");
                }
            }
        }
        Ok(())
    }
}

/// Whether a library is musl, by one of its names.
fn is_musl(name: &str) -> bool {
    name == "libc.so" || name.starts_with("libc.musl-")
}

/// Parses `GLIBC_2.17`.
fn glibc_version(name: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?;
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Checks that bytes have neither the repository's folder nor the home in them.
fn has_no_path(bytes: &[u8]) -> Result<()> {
    let home = std::env::var("HOME").unwrap_or_default();
    let workspace = crate::sources::workspace().display().to_string();
    for path in [workspace, home] {
        // A root's home may be a word of any path.
        let path = format!("{}/", path.trim_end_matches('/'));
        let found = path.len() > 2 && memchr::memmem::find(bytes, path.as_bytes()).is_some();
        ensure!(!found, "it has {path} inside");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_glibc_are_numbers() {
        assert_eq!(
            glibc_version(b"GLIBC_2.9").max(glibc_version(b"GLIBC_2.17")),
            Some((2, 17))
        );
        assert_eq!(glibc_version(b"GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc_version(b"GLIBC_PRIVATE"), None);
        assert_eq!(glibc_version(b"GCC_3.0"), None);
    }

    #[test]
    fn what_this_test_asks_of_the_linker_is_read() {
        let own = std::env::current_exe().expect("its file");
        let linked = Linked::of(&fs::read(own).expect("its bytes")).expect("an ELF file");
        assert!(
            linked.needs.iter().any(|name| name.starts_with("libc.")),
            "{:?}",
            linked.needs
        );
        assert!(linked.newest_glibc > Some((2, 2)));
    }

    #[test]
    fn a_path_of_the_builder_is_found() {
        let workspace = crate::sources::workspace().join("crates");
        assert!(has_no_path(workspace.display().to_string().as_bytes()).is_err());
        assert!(has_no_path(b"/luasnap/crates").is_ok());
    }
}
