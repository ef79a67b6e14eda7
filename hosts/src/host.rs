//! The programs that run scripts.

use crate::run::{Options, Run};
use crate::vm::Vm;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The environment variable with the path of a program that runs hosts: an emulator, where they are of another machine.
const RUNNER: &str = "LUASNAP_HOSTS_RUNNER";

/// A program to run scripts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// [`Vm::interpreter`].
    Plain(Vm),
    /// [`Vm::checked_interpreter`].
    Checked(Vm),
    /// [`Vm::crowded_interpreter`].
    Crowded(Vm),
    /// A LuaJIT that was built with other flags: one of [`jit_builds`].
    Jit(&'static str),
    /// An older release of PUC Lua: one of [`older_releases`].
    Older(&'static str),
    /// A PUC Lua whose structures were changed: one of [`changed`].
    Changed(&'static str),
    /// A PUC Lua that is built otherwise than the released ones: one of [`built`].
    Built(&'static str),
    /// A PUC Lua that is compiled as C++: one of [`built_as_cpp`]. It takes no arguments, and has no
    /// table `host`.
    Cpp(&'static str),
    /// A Lua 5.4 that exports no symbols: C modules find no API in it.
    Silent,
    /// A Lua 5.4 that reports version 599.
    Unknown,
    /// [`local`] with one Lua, whose API is found only in that library.
    Local(Vm),
    /// [`local`] with two Luas side by side: the script runs in the first, in the second, and in
    /// the first again. Both states live until the end.
    Pair(Vm, Vm),
}

/// The program of [`Host::Silent`].
pub fn silent() -> &'static Path {
    Path::new(env!("HOST_SILENT"))
}

/// The program of [`Host::Unknown`].
pub fn unknown() -> &'static Path {
    Path::new(env!("HOST_UNKNOWN"))
}

/// A program without a Lua of its own: `local --lib LIBLUA [--lib LIBLUA...] SCRIPT [ARGS...]`
/// opens libraries of Lua with `RTLD_LOCAL`. It has no global table `host`. With `--reload ROUNDS`
/// as the first option, it opens and unloads all but the first library in turn.
pub fn local() -> &'static Path {
    Path::new(env!("HOST_LOCAL"))
}

// `JIT`, `OLDER`, `CHANGED`, `SKYNET`, `BUILT` and `CPP`: the programs that the build script built from its
// lists in releases.rs and builds.rs, by name.
include!(concat!(env!("OUT_DIR"), "/programs.rs"));

/// Returns the names of LuaJITs that were built with other flags: `jit32` has references of 32 bits
/// (`LUAJIT_DISABLE_GC64`), `jit-bump` bumps the sizes of tables, `jit-no-ffi` and `jit-no-jit` lack
/// that part, and `jit32-bare` is all but the second.
/// Those with references of 32 bits are on x86-64 alone.
pub fn jit_builds() -> impl Iterator<Item = &'static str> {
    JIT.iter().map(|(name, _)| *name)
}

/// The LuaJIT with references of 32 bits that is otherwise as others; on x86-64 alone.
pub fn jit_with_narrow_references() -> Option<Host> {
    jit_builds().find(|&name| name == "jit32").map(Host::Jit)
}

/// Returns the older releases of PUC Lua for which there are interpreters.
pub fn older_releases() -> impl Iterator<Item = &'static str> {
    OLDER.iter().map(|(release, _)| *release)
}

/// Returns the models of skynet: the name of each, and its program.
pub fn skynet_models() -> impl Iterator<Item = (&'static str, &'static Path)> {
    SKYNET.iter().map(|&(name, path)| (name, Path::new(path)))
}

/// Returns the changed Luas whose names have this beginning; `""` for all.
///
/// # Panics
/// If there is none, so that no test of them passes without testing any.
pub fn changed(beginning: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    names_with(CHANGED, beginning)
}

/// Returns the Luas that are built otherwise and whose names have this beginning; `""` for all.
///
/// # Panics
/// If there is none.
pub fn built(beginning: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    names_with(BUILT, beginning)
}

/// Returns the Luas that are compiled as C++; none where there was no compiler for it.
pub fn built_as_cpp() -> impl Iterator<Item = &'static str> {
    CPP.iter().map(|(name, _)| *name)
}

fn names_with<'a>(
    programs: &'static [(&'static str, &'static str)],
    beginning: &'a str,
) -> impl Iterator<Item = &'static str> + use<'a> {
    let names = programs.iter().map(|(name, _)| *name);
    let mut found = names
        .filter(move |name| name.starts_with(beginning))
        .peekable();
    assert!(found.peek().is_some(), "no Lua is called {beginning}...");
    found
}

fn program_of(programs: &[(&str, &'static str)], name: &str) -> &'static Path {
    let found = programs.iter().find(|(known, _)| *known == name);
    Path::new(found.unwrap_or_else(|| panic!("there is no {name}")).1)
}

impl Host {
    /// Returns the command line up to the script, without the user's own settings for Lua.
    pub fn command(self) -> Command {
        let program = match self {
            Host::Plain(vm) => vm.interpreter(),
            Host::Checked(vm) => vm.checked_interpreter(),
            Host::Crowded(vm) => vm.crowded_interpreter(),
            Host::Jit(name) => program_of(JIT, name),
            Host::Older(release) => program_of(OLDER, release),
            Host::Changed(name) => program_of(CHANGED, name),
            Host::Built(name) => program_of(BUILT, name),
            Host::Cpp(name) => program_of(CPP, name),
            Host::Silent => silent(),
            Host::Unknown => unknown(),
            Host::Local(_) | Host::Pair(..) => local(),
        };
        // What is built for another machine needs a program that runs it.
        let mut command = match std::env::var_os(RUNNER) {
            Some(runner) => {
                let mut command = Command::new(runner);
                command.arg(program);
                command
            }
            None => Command::new(program),
        };
        if let Host::Local(vm) | Host::Pair(vm, _) = self {
            command.arg("--lib").arg(vm.shared_library());
        }
        if let Host::Pair(_, second) = self {
            command.arg("--lib").arg(second.shared_library());
        }
        for name in ["LUA_PATH", "LUA_CPATH"] {
            for version in ["", "_5_2", "_5_3", "_5_4", "_5_5"] {
                command.env_remove(format!("{name}{version}"));
            }
        }
        command
    }

    /// Runs the Lua source `script` in this host. Its chunk name is always `@script.lua`.
    ///
    /// # Panics
    /// If the host cannot be started; whatever the script does is in the result.
    pub fn run(self, script: &str, options: &Options) -> Run {
        let fresh = tempfile::tempdir().expect("a temporary directory");
        let dir = options.dir.as_deref().unwrap_or(fresh.path());
        fs::write(dir.join("script.lua"), script).expect("the script is written");

        let mut command = self.command();
        command
            .current_dir(dir)
            .arg("script.lua")
            .args(&options.args);
        if let Some(modules) = &options.module_dir {
            command.env("LUA_CPATH", modules.join("?.so"));
        }
        command.envs(options.env.iter().cloned());
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Run {
            status: output.status,
            stdout: output.stdout,
            stderr: output.stderr,
        }
    }
}

impl Vm {
    /// Runs the Lua source `script` in [`Vm::interpreter`].
    pub fn run(self, script: &str, options: &Options) -> Run {
        Host::Plain(self).run(script, options)
    }
}
