//! Compilers for all systems: zig's for C and for linking, since it has the symbols of every glibc and a whole musl, and a
//! Rust that has the standard library of the system, or its source.

use crate::apt::{Apt, Kind};
use crate::dist::strip::objcopy;
use crate::dist::system::{GLIBC, Libc, Machine, System};
use crate::folder::{script, whole};
use crate::process;
use crate::sources::workspace;
use anyhow::{Context, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages of Python's index that bring the compiler for C, and what calls it. Their versions are part of what makes the
/// bytes the same.
const PACKAGES: [&str; 2] = ["ziglang==0.17.1", "cargo-zigbuild==0.24.1"];
/// Debian's packages of a Rust, of its standard library, and of its source.
const RUST: [&str; 3] = ["rustc-web", "libstd-rust-web-dev", "rust-web-src"];

/// The compilers.
pub struct Toolchain {
    folder: PathBuf,
}

impl Toolchain {
    /// Downloads what is missing to a folder, unless that was done before. Nothing is installed.
    pub fn prepare(folder: &Path, systems: &[System]) -> Result<Toolchain> {
        whole(&folder.join("venv"), |into| {
            process::show(Command::new("python3").args(["-m", "venv"]).arg(into))
                .context("cannot make a Python environment (the package python3-venv is needed)")?;
            let mut pip = Command::new(into.join("bin/python"));
            pip.args([
                "-m",
                "pip",
                "--quiet",
                "--disable-pip-version-check",
                "install",
            ]);
            process::show(pip.args(PACKAGES)).context("cannot fetch the compiler for C")
        })?;
        let toolchain = Toolchain {
            folder: folder.into(),
        };
        toolchain.write_zig()?;
        if systems.iter().any(|&system| !has_standard_library(system)) {
            toolchain.fetch_rust()?;
        }
        Ok(toolchain)
    }

    /// Debian's Rust, with the standard library of both machines in one place, and its source.
    fn fetch_rust(&self) -> Result<()> {
        let apt = self.folder.join("apt");
        let unpacked = self.folder.join("rust");
        whole(&unpacked, |into| {
            let other = Machine::AArch64.debian();
            let other = Apt::of_machine(&apt.join(other), other)?;
            other.unpack_alone(&RUST[1..2], into)?;
            let here = Apt::new(&apt.join("here"), Kind::Packages)?;
            here.unpack(&RUST, into)?;
            // Also where the machine itself has some of it.
            here.unpack_alone(&RUST, into)
        })?;
        let libraries = unpacked.join("usr/lib/x86_64-linux-gnu");
        script(
            &self.rustc(),
            &format!(
                "export LD_LIBRARY_PATH='{}'\nexec '{}' \"$@\"",
                libraries.display(),
                unpacked.join("usr/bin/rustc").display()
            ),
        )
    }

    /// A compiler of C for what zig calls the target.
    pub fn c_compiler(&self, target: &str) -> Command {
        let mut command = Command::new(self.zig());
        command.args(["cc", "-target", target]);
        command.env("ZIG_GLOBAL_CACHE_DIR", self.cache());
        command
    }

    /// zig as we call it: what it compiles of its own for a program (parts of the C library, the unwinder) has debug
    /// information with its folder in it, and nobody can tell it another name. So that is taken out of what zig keeps, and the
    /// program is linked once more.
    fn write_zig(&self) -> Result<()> {
        let find = self.folder.join("venv/bin/python");
        let mut python = Command::new(find);
        python.args([
            "-c",
            "import ziglang, os; print(os.path.dirname(ziglang.__file__))",
        ]);
        let folder = String::from_utf8(process::output(&mut python)?)?;
        let (objcopy, libraries) = objcopy();
        script(
            &self.zig(),
            &format!(
                "zig='{}/zig'\n\
                 \"$zig\" \"$@\" || exit\n\
                 case \"$1 $* \" in \"cc \"*\" -c \"* | \"c++ \"*\" -c \"*) exit ;; \"cc \"* | \"c++ \"*) ;; *) exit ;; esac\n\
                 made=$(find '{cache}/o' -name 'lib*.a' ! -perm -u+x 2>/dev/null)\n\
                 test -n \"$made\" || exit 0\n\
                 exec 9>'{cache}/lock'\n\
                 flock 9\n\
                 for file in $made; do\n  \
                   LD_LIBRARY_PATH='{libraries}' '{objcopy}' --strip-debug \"$file\" && chmod u+x \"$file\"\n\
                 done\n\
                 exec \"$zig\" \"$@\"",
                folder.trim(),
                cache = self.cache().display(),
                libraries = libraries.display(),
                objcopy = objcopy.display(),
            ),
        )
    }

    fn zig(&self) -> PathBuf {
        self.folder.join("zig")
    }

    /// What zig compiled of its own.
    fn cache(&self) -> PathBuf {
        self.folder.join("zig-cache")
    }

    /// Debian's Rust.
    fn rustc(&self) -> PathBuf {
        self.folder.join("rustc")
    }

    /// A call that builds packages for a system, with these flags of the compiler, into a target directory. No path of this
    /// machine gets into what it builds.
    pub fn build(&self, system: System, packages: &[&str], target: &Path, flags: &str) -> Command {
        let zigbuild = self.folder.join("venv/bin/cargo-zigbuild");
        let mut command = Command::new(zigbuild);
        command.args(["zigbuild", "--quiet", "--locked", "--profile", "dist"]);
        command.current_dir(workspace());
        command.env("CARGO_TARGET_DIR", target);
        let triple = system.target();
        command.arg("--target").arg(match system.libc {
            Libc::Glibc => format!("{triple}.{}.{}", GLIBC.0, GLIBC.1),
            Libc::Musl => triple.into(),
        });
        for package in packages {
            command.args(["--package", package]);
        }
        if !has_standard_library(system) {
            command.env("RUSTC", self.rustc());
            if system.libc == Libc::Musl {
                // Debian has none of it, but the source.
                command.args(["-Zbuild-std=std,panic_unwind"]);
                command.env("RUSTC_BOOTSTRAP", "1");
            }
        }
        let places = self.places(target);
        let of_rust = places
            .iter()
            .map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
        let of_c = places
            .iter()
            .map(|(from, to)| format!("-ffile-prefix-map={from}={to}"));
        let mut rustflags = Vec::from_iter(of_rust);
        rustflags.push("-Clink-arg=-Wl,--build-id=sha1".into());
        rustflags.extend((!flags.is_empty()).then(|| flags.to_owned()));
        if system.libc == Libc::Musl {
            // zig brings what a program begins with.
            rustflags.push("-Clink-self-contained=no".into());
        }
        let variable = triple.to_uppercase().replace('-', "_");
        command.env_remove("RUSTFLAGS");
        command.env(
            format!("CARGO_TARGET_{variable}_RUSTFLAGS"),
            rustflags.join(" "),
        );
        command.env("CFLAGS", Vec::from_iter(of_c).join(" "));
        command.env("CARGO_ZIGBUILD_ZIG_PATH", self.zig());
        command.env("CARGO_ZIGBUILD_CACHE_DIR", self.folder.join("wrappers"));
        command.env("ZIG_GLOBAL_CACHE_DIR", self.cache());
        command
    }

    /// Folders of this machine, and what they are called in what is built. What comes later counts where both fit.
    fn places(&self, target: &Path) -> Vec<(String, &'static str)> {
        let named = |path: &Path, name| (path.display().to_string(), name);
        let mut places = vec![named(workspace(), "/luasnap"), named(target, "/target")];
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
        places.extend(home.map(|home| named(&home, "/cargo")));
        places.push(named(&self.folder, "/tools"));
        places
    }
}

/// Whether the ordinary Rust has the standard library of a system.
fn has_standard_library(system: System) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", system.target()]);
    process::output(&mut rustc).is_ok_and(|folder| {
        let folder = String::from_utf8_lossy(&folder);
        Path::new(folder.trim()).is_dir()
    })
}
