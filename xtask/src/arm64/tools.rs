//! What cross-builds and emulated runs need: a compiler, Rust's standard library, an emulator, and Debian's Luas.

use crate::apt::{Apt, Kind, codename};
use crate::cargo::{cargo, target};
use crate::folder::{script, whole};
use crate::process;
use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Rust calls the machine.
pub const TARGET: &str = "aarch64-unknown-linux-gnu";
/// How the names of the C compiler and of what belongs to it begin.
const PREFIX: &str = "aarch64-linux-gnu-";
/// What Debian calls the machine.
const ARCHITECTURE: &str = "arm64";
/// Debian's Luas: packages, and their programs.
pub const LUAS: [&str; 5] = ["lua5.1", "lua5.2", "lua5.3", "lua5.4", "luajit"];
/// The Debian whose own emulator is too old (in QEMU 7.2 most tests of LuaJIT fail), and has a newer one in its backports.
const WITH_OLD_EMULATOR: &str = "bookworm";
/// The first version of QEMU in which all tests pass.
const EMULATOR_VERSION: u32 = 10;

/// The programs.
pub struct Tools {
    /// Has everything.
    folder: PathBuf,
    /// Has scripts that start them: `emulate PROGRAM`, the Luas, and the compiler where this machine has none.
    bin: PathBuf,
    /// A compiler of Rust that has the standard library of both machines, where the ordinary one has not.
    rustc: Option<PathBuf>,
}

impl Tools {
    /// Downloads what is missing, unless that was done before.
    pub fn prepare() -> Result<Tools> {
        let folder = target().join("arm64");
        let tools = Tools {
            bin: folder.join("bin"),
            rustc: (!has_standard_library()).then(|| folder.join("rust/rustc")),
            folder,
        };
        let (unpacked, root) = (tools.unpacked(), tools.root());
        let has_compiler = is_there(&format!("{PREFIX}gcc"));
        let emulator = match has_emulator() {
            true => PathBuf::from("qemu-aarch64"),
            false => unpacked.join("usr/bin/qemu-aarch64"),
        };

        let apt = tools.folder.join("apt");
        whole(&unpacked, |into| {
            let mut packages = Vec::new();
            if !has_compiler {
                packages.extend(["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"]);
            }
            let newer = format!("qemu-user/{WITH_OLD_EMULATOR}-backports");
            if !has_emulator() {
                packages.push(match codename()?.as_str() {
                    WITH_OLD_EMULATOR => &newer,
                    _ => "qemu-user",
                });
            }
            if tools.rustc.is_some() {
                packages.extend(["rustc-web", "libstd-rust-web-dev"]);
                let other = Apt::of_machine(&apt.join(ARCHITECTURE), ARCHITECTURE)?;
                other.unpack_alone(&["libstd-rust-web-dev"], into)?;
            }
            if !packages.is_empty() {
                Apt::new(&apt.join("tools"), Kind::Packages)?.unpack(&packages, into)?;
            }
            let has_own = into.join("usr").join(&PREFIX[..PREFIX.len() - 1]).is_dir();
            if has_own { relocate(into) } else { Ok(()) }
        })?;
        whole(&root, |into| {
            Apt::of_machine(&apt.join(ARCHITECTURE), ARCHITECTURE)?.unpack(&LUAS, into)
        })?;

        let emulate = format!("exec '{}' -L '{}'", emulator.display(), root.display());
        script(&tools.emulator(), &format!("{emulate} \"$@\""))?;
        for lua in LUAS {
            let program = root.join("usr/bin").join(lua);
            script(
                &tools.lua(lua),
                &format!("{emulate} '{}' \"$@\"", program.display()),
            )?;
        }
        let libraries = unpacked.join("usr/lib/x86_64-linux-gnu");
        let own = |program: &Path| {
            let (libraries, program) = (libraries.display(), program.display());
            format!("export LD_LIBRARY_PATH='{libraries}'\nexec '{program}' \"$@\"")
        };
        if let Some(rustc) = &tools.rustc {
            // Not where others would find it.
            script(rustc, &own(&unpacked.join("usr/bin/rustc")))?;
        }
        let programs = fs::read_dir(unpacked.join("usr/bin"));
        for program in programs.into_iter().flatten().flatten() {
            let name = program.file_name().to_string_lossy().into_owned();
            if name.starts_with(PREFIX) {
                script(&tools.bin.join(&name), &own(&program.path()))?;
            }
        }
        Ok(tools)
    }

    /// Programs of this machine.
    fn unpacked(&self) -> PathBuf {
        self.folder.join("tools")
    }

    /// The files of the other machine.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// The C compiler.
    pub fn compiler(&self) -> String {
        format!("{PREFIX}gcc")
    }

    /// The path of the emulator, as a program that runs another one.
    pub fn emulator(&self) -> PathBuf {
        self.bin.join("emulate")
    }

    /// The path of one of the Luas, as a program that runs here.
    pub fn lua(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// A call of cargo that builds for the other machine and runs there.
    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        self.environment(&mut command);
        command.env("CARGO_TARGET_DIR", self.folder.join("build"));
        if let Some(rustc) = &self.rustc {
            command.env("RUSTC", rustc);
        }
        let variable = |name: &str| {
            let target = TARGET.to_uppercase().replace('-', "_");
            format!("CARGO_TARGET_{target}_{name}")
        };
        command.env(variable("LINKER"), self.compiler());
        command.env(variable("RUNNER"), self.emulator());
        // What tests start is of that machine, too.
        command.env("LUASNAP_HOSTS_RUNNER", self.emulator());
        command
    }

    /// Makes a program find ours.
    pub fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let mut path = self.bin.clone().into_os_string();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        command.env("PATH", path)
    }
}

/// Makes an unpacked compiler find the C library, which names its parts by where they would be installed.
fn relocate(folder: &Path) -> Result<()> {
    let library = folder.join("usr/aarch64-linux-gnu/lib/libc.so");
    let text = fs::read_to_string(&library);
    let text = text.with_context(|| format!("cannot read {}", library.display()))?;
    fs::write(&library, text.replace("/usr/aarch64-linux-gnu/lib/", ""))
        .with_context(|| format!("cannot write {}", library.display()))
}

/// Whether the ordinary compiler of Rust has the standard library of the other machine.
fn has_standard_library() -> bool {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()));
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    process::output(&mut rustc).is_ok_and(|folder| {
        let folder = String::from_utf8_lossy(&folder);
        Path::new(folder.trim()).is_dir()
    })
}

/// Whether there is an emulator that is new enough.
fn has_emulator() -> bool {
    process::output(Command::new("qemu-aarch64").arg("--version")).is_ok_and(|said| {
        // `qemu-aarch64 version 10.0.2 (Debian ...)`
        let said = String::from_utf8_lossy(&said);
        let version = said.split("version ").nth(1);
        let major = version.and_then(|version| version.split('.').next()?.parse().ok());
        major.is_some_and(|major: u32| major >= EMULATOR_VERSION)
    })
}

fn is_there(program: &str) -> bool {
    process::output(Command::new(program).arg("--version")).is_ok()
}
