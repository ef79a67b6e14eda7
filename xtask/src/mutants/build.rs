//! Builds a changed VM: an interpreter that runs the script, and the module `examine`.

use super::copies::{copy_files, copy_tree};
use super::mutant::Mutant;
use super::vm::{Family, Vm};
use crate::{process, sources};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The files of an interpreter besides its VM: those of the test hosts.
const INTERPRETER: [&str; 5] = [
    "host.c",
    "library.c",
    "allocator.c",
    "c_heap.c",
    "resident.c",
];

/// Files of PUC Lua that are not part of our interpreter, or that the dump includes.
const NOT_COMPILED: [&str; 6] = ["lua", "luac", "print", "ltests", "lstate", "ltable"];

/// Files that use only the C API.
const LIBRARIES: [&str; 13] = [
    "lauxlib", "lbaselib", "lbitlib", "lcorolib", "ldblib", "linit", "liolib", "lmathlib",
    "loadlib", "loslib", "lstrlib", "ltablib", "lutf8lib",
];

/// Files that `make` would build again for every LuaJIT, though no structure affects them.
const MADE_ONCE: [&str; 3] = ["host/minilua.o", "host/minilua", "luajit.h"];
const MADE_BY_DYNASM: &str = "host/buildvm_arch.h";

/// The folders where changed VMs are built.
pub struct Workshop {
    root: PathBuf,
}

/// A built VM.
pub struct Built {
    /// Has the interpreter and the module.
    pub folder: PathBuf,
    /// Has the VM's sources.
    pub sources: PathBuf,
}

/// A VM as it was released, prepared for changes.
pub struct Base {
    /// For PUC Lua: compiled files that no change of a structure affects. For LuaJIT: its sources,
    /// with the files that are built once.
    folder: PathBuf,
}

impl Workshop {
    pub fn new(root: PathBuf) -> Workshop {
        Workshop { root }
    }

    /// Prepares a VM.
    pub fn prepare(&self, vm: &Vm) -> Result<Base> {
        let folder = self.root.join(format!("base-{}", vm.name));
        fs::create_dir_all(&folder).context("cannot make a folder")?;
        let base = Base { folder };
        match vm.family {
            Family::Puc(_) => base.prepare_puc(vm)?,
            Family::Jit => base.prepare_jit(vm)?,
        }
        Ok(base)
    }

    /// Creates a folder for a mutant, with its sources.
    pub fn start(&self, base: &Base, mutant: &Mutant<'_>) -> Result<Built> {
        let folder = self.root.join(mutant.name.replace(['/', '(', ')'], "_"));
        let sources = match mutant.vm.family {
            Family::Puc(_) => {
                let sources = folder.join("sources");
                copy_files(&mutant.vm.sources, &sources)?;
                sources
            }
            Family::Jit => {
                copy_tree(&base.folder, &folder)?;
                folder.join("src")
            }
        };
        for (file, text) in mutant.texts()? {
            write(&sources.join(file), &text)?;
        }
        Ok(Built { folder, sources })
    }

    /// Builds a mutant.
    pub fn build(&self, base: &Base, mutant: &Mutant<'_>, built: &Built) -> Result<()> {
        let mut command = compiler(&built.sources, mutant.vm);
        match mutant.vm.family {
            Family::Puc(_) => {
                let core = built.folder.join("core.c");
                write(&core, &core_of(&built.sources)?)?;
                command.arg(core);
                if mutant.changes_interface() {
                    command.args(interpreter()).args(libraries(&built.sources)?);
                } else {
                    command.args(objects(&base.folder)?);
                }
            }
            Family::Jit => {
                make(&built.sources, mutant)?;
                command
                    .args(interpreter())
                    .arg(programs().join("dump_jit.c"));
                command.arg("-Wl,--whole-archive");
                command.arg(built.sources.join("libluajit.a"));
                command.arg("-Wl,--no-whole-archive");
            }
        }
        command
            .args(["-Wl,-E", "-o"])
            .arg(built.folder.join("host"));
        command.args(["-lm", "-ldl", "-pthread"]);
        process::output(&mut command)?;

        let mut command = compiler(&built.sources, mutant.vm);
        command
            .args(["-shared", "-fPIC"])
            .arg(programs().join("examine.c"));
        command.arg("-o").arg(built.folder.join("examine.so"));
        process::output(&mut command)?;
        Ok(())
    }
}

impl Base {
    fn prepare_puc(&self, vm: &Vm) -> Result<()> {
        let mut command = compiler(&vm.sources, vm);
        command
            .arg("-c")
            .args(interpreter())
            .args(libraries(&vm.sources)?);
        process::output(command.current_dir(&self.folder))?;
        Ok(())
    }

    /// Builds what does not depend on structures: the minimal Lua that DynASM runs in, and the
    /// files that it generates.
    fn prepare_jit(&self, vm: &Vm) -> Result<()> {
        let tree = vm.sources.parent().context("LuaJIT has a folder")?;
        copy_tree(tree, &self.folder)?;
        let version = tree.with_file_name("luajit_relver.txt");
        fs::copy(&version, self.folder.join(".relver"))
            .with_context(|| format!("cannot copy {}", version.display()))?;
        let mut command = Command::new("make");
        command.args([
            "BUILDMODE=static",
            "CCOPT=-O0",
            &xcflags(vm),
            "host/buildvm",
        ]);
        process::output(command.current_dir(self.folder.join("src")))?;
        for entry in fs::read_dir(self.folder.join("src/host")).context("cannot list it")? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_built = name.ends_with(".o") || !name.contains('.');
            if name.starts_with("buildvm") && is_built {
                fs::remove_file(&path).context("cannot remove a file")?;
            }
        }
        Ok(())
    }
}

/// The options of a build, for LuaJIT's Makefile.
fn xcflags(vm: &Vm) -> String {
    format!("XCFLAGS={}", vm.flags.join(" "))
}

/// Builds LuaJIT's library.
fn make(sources: &Path, mutant: &Mutant<'_>) -> Result<()> {
    let mut command = Command::new("make");
    for file in MADE_ONCE {
        command.args(["-o", file]);
    }
    // The configuration of its assembler code is in that header.
    if mutant.edits.iter().any(|edit| edit.file == "lj_arch.h") {
        fs::remove_file(sources.join(MADE_BY_DYNASM)).context("cannot remove a file")?;
    } else {
        command.args(["-o", MADE_BY_DYNASM]);
    }
    command.args(["BUILDMODE=static", "CCOPT=-O0", "LJCORE_O=ljamalg.o"]);
    command.arg(xcflags(mutant.vm));
    process::output(command.arg("libluajit.a").current_dir(sources))?;
    Ok(())
}

/// Returns the VM itself as one file, which compiles twice as fast as many.
fn core_of(sources: &Path) -> Result<String> {
    // 5.2 defines some macros for one file only, which is recognized by this.
    let mut core = "#define lvm_c\n".to_owned();
    core += &format!("#include \"{}\"\n", programs().join("dump_puc.c").display());
    for file in c_files(sources)? {
        if !is_one_of(&file, &LIBRARIES) {
            core += &format!("#include \"{}\"\n", file.display());
        }
    }
    Ok(core)
}

fn libraries(sources: &Path) -> Result<Vec<PathBuf>> {
    let mut files = c_files(sources)?;
    files.retain(|file| is_one_of(file, &LIBRARIES));
    Ok(files)
}

/// Returns the C files of an interpreter.
fn c_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files_with_extension(folder, "c")?;
    files.retain(|file| !is_one_of(file, &NOT_COMPILED));
    Ok(files)
}

fn objects(folder: &Path) -> Result<Vec<PathBuf>> {
    files_with_extension(folder, "o")
}

fn files_with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder);
    for entry in entries.with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|own| own == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_one_of(file: &Path, names: &[&str]) -> bool {
    let own = file.file_stem().and_then(|name| name.to_str());
    own.is_some_and(|own| names.contains(&own))
}

fn interpreter() -> impl Iterator<Item = PathBuf> {
    let folder = sources::workspace().join("hosts/src");
    INTERPRETER.iter().map(move |file| folder.join(file))
}

/// The folder with the programs that examine a VM.
pub fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mutants/programs")
}

/// A compiler call with a VM's headers. Nothing is optimized: most of the time is spent compiling.
fn compiler(headers: &Path, vm: &Vm) -> Command {
    let mut command = Command::new(env::var_os("CC").unwrap_or("cc".into()));
    command.args(["-std=gnu11", "-w", "-O0"]);
    command.args(["-DLUA_USE_LINUX", "-DLUA_COMPAT_5_3", "-DLUA_COMPAT_ALL"]);
    for function in ["malloc", "calloc", "realloc"] {
        command.arg(format!("-fno-builtin-{function}"));
    }
    command.arg("-I").arg(headers);
    command
        .arg("-I")
        .arg(sources::workspace().join("hosts/src"));
    command.arg(format!("-DHOST_VM=\"{}\"", vm.name));
    command.args(&vm.flags);
    command
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
