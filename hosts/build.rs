//! Builds every host with the C compiler alone: one archive for each VM and flavour, then the
//! executables and shared libraries that are linked from it.

mod builds;
mod releases;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::{env, fs, thread};

/// What an interpreter is made of, beside its VM.
const INTERPRETER: [&str; 5] = ["host.c", "library.c", "allocator.c", C_HEAP, "resident.c"];
const HEADERS: [&str; 5] = ["vm.h", "library.h", "allocator.h", "c_heap.h", "resident.h"];
const C_HEAP: &str = "c_heap.c";
const LOCAL: &str = "local.c";
const PROBE: &str = "probe.c";
const UNKNOWN: &str = "unknown.c";
const STATIC: &str = "static.c";
const SKYNET: &str = "skynet.c";
const CROWD: &str = "crowd.c";

/// The environment variable that leaves out all but the current release of each VM, for a run of tests that
/// wants no others.
const ONLY_CURRENT: &str = "LUASNAP_HOSTS_ONLY_CURRENT";

/// What Lua's standard libraries need of the system.
const SYSTEM_LIBRARIES: [&str; 2] = ["-lm", "-ldl"];

const VMS: [&str; 6] = ["5.1", "5.2", "5.3", "5.4", "5.5", "jit"];

#[derive(Clone, Copy, PartialEq)]
enum Flavour {
    /// Optimised: what people run.
    Plain,
    /// Asserts that the C API is used as the manual says.
    Checked,
}

/// What is built at once.
enum Job {
    Vm(&'static str, Flavour),
    /// A LuaJIT with other flags.
    Jit(&'static releases::JitBuild),
    /// An older release, by its number.
    Older(usize),
    /// A changed one, by its number.
    Changed(usize),
    /// A model of skynet, by its number.
    Skynet(usize),
    /// One that is built otherwise, by its number.
    Build(usize),
}

/// A VM as a static library, with its headers.
struct Archive {
    include: PathBuf,
    library: PathBuf,
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=builds.rs");
    println!("cargo:rerun-if-changed=releases.rs");
    for file in INTERPRETER
        .iter()
        .chain(&HEADERS)
        .chain(&[LOCAL, PROBE, UNKNOWN, STATIC, SKYNET, CROWD])
    {
        println!("cargo:rerun-if-changed=src/{file}");
    }

    let mut jobs: Vec<Job> = VMS
        .iter()
        .flat_map(|&vm| [Job::Vm(vm, Flavour::Plain), Job::Vm(vm, Flavour::Checked)])
        .collect();
    println!("cargo:rerun-if-env-changed={ONLY_CURRENT}");
    let has_others = env::var_os(ONLY_CURRENT).is_none();
    if has_others {
        jobs.extend(jit_builds().map(Job::Jit));
        jobs.extend((0..releases::OLDER.len()).map(Job::Older));
        jobs.extend((0..releases::CHANGED.len()).map(Job::Changed));
        jobs.extend((0..releases::SKYNET.len()).map(Job::Skynet));
        jobs.extend((0..builds::BUILDS.len()).map(Job::Build));
    }
    // The longest first: LuaJIT is built by a make of its own.
    jobs.sort_by_key(|job| !matches!(job, Job::Vm("jit", _) | Job::Jit(_)));
    let jobs = Mutex::new(VecDeque::from(jobs));
    let next = || jobs.lock().unwrap().pop_front();

    let threads = env::var("NUM_JOBS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = next() {
                    match job {
                        Job::Vm(vm, flavour) => build_vm(vm, flavour),
                        Job::Jit(build) => build_jit(build),
                        Job::Older(number) => build_older(number),
                        Job::Changed(number) => build_changed(number),
                        Job::Skynet(number) => build_skynet(number),
                        Job::Build(number) => build_otherwise(number),
                    }
                }
            });
        }
    });

    let jit = jit_builds().map(|build| build.name);
    let older = releases::OLDER.into_iter();
    let changed = releases::CHANGED.iter().map(|&(name, ..)| name);
    let c = builds::BUILDS.iter().filter(|build| !build.is_cpp);
    let cpp = builds::BUILDS.iter().filter(|build| build.is_cpp);
    let programs = [
        list_of_programs("JIT", jit),
        list_of_programs("OLDER", older),
        list_of_programs("CHANGED", changed),
        list_of_programs("SKYNET", releases::SKYNET.iter().map(|&(name, _)| name)),
        list_of_programs("BUILT", c.map(|build| build.name)),
        list_of_programs("CPP", cpp.map(|build| build.name)),
    ];
    fs::write(out_dir().join("programs.rs"), programs.concat()).expect("a list");

    let mut local = compile(&[LOCAL]);
    local.arg("-ldl");
    finish(local, "LOCAL", "local");

    let mut probe = compile(&[PROBE]);
    probe.args(["-shared", "-ldl"]);
    finish(probe, "PROBE", "probe.so");
}

/// Builds one VM, and all that is linked from it.
fn build_vm(vm: &str, flavour: Flavour) {
    let suffix = if flavour == Flavour::Checked {
        "-checked"
    } else {
        ""
    };
    let archive = build_archive(vm, flavour, &out_dir().join(format!("vm-{vm}{suffix}")));
    let interpreter = |files: &[&str]| {
        let mut command = compile(files);
        command
            .arg("-I")
            .arg(&archive.include)
            .arg(format!("-DHOST_VM=\"{vm}\""));
        if flavour == Flavour::Checked {
            command.arg("-DLUA_USE_APICHECK");
        }
        link(&mut command, &archive);
        command
    };

    let mut bare = interpreter(&INTERPRETER);
    bare.arg("-Wl,-E");
    finish(
        bare,
        &format!("INTERPRETER_{vm}{suffix}"),
        &format!("lua{vm}{suffix}"),
    );
    if flavour == Flavour::Checked {
        return;
    }

    let mut shared = compile(&[]);
    link(&mut shared, &archive);
    shared.arg("-shared");
    finish(shared, &format!("LIBRARY_{vm}"), &format!("liblua{vm}.so"));

    build_static(vm, &interpreter);

    // It has an allocator of its own.
    let files = INTERPRETER.map(|file| if file == C_HEAP { CROWD } else { file });
    let mut crowd = interpreter(&files);
    crowd.arg("-Wl,-E");
    finish(crowd, &format!("CROWD_{vm}"), &format!("crowd{vm}"));

    if vm == "5.4" {
        finish(interpreter(&INTERPRETER), "SILENT", "silent");

        // Our lua_version comes before Lua's, and is the one that stays.
        let mut files = vec![UNKNOWN];
        files.extend(INTERPRETER);
        let mut unknown = interpreter(&files);
        unknown.args(["-Wl,-E", "-Wl,-z,muldefs"]);
        finish(unknown, "UNKNOWN", "unknown");
    }
}

/// Builds a program that is linked statically, where there are static libraries of the system's.
fn build_static(vm: &str, interpreter: &dyn Fn(&[&str]) -> Command) {
    let name = format!("static{vm}");
    let mut command = interpreter(&[STATIC]);
    // The linker warns of dlopen, which is what this is about.
    command.args(["-static", "-Wl,-E", "-Wl,--no-warnings", "-w"]);
    let path = out_dir().join(&name);
    let linked = command.arg("-o").arg(&path).output();
    let is_there = linked.is_ok_and(|done| done.status.success());
    let path = if is_there { path } else { PathBuf::new() };
    give_path(&format!("STATIC_{vm}"), &path);
}

/// The LuaJITs with other flags that there are on the machine which is built for.
fn jit_builds() -> impl Iterator<Item = &'static releases::JitBuild> {
    // LuaJIT has no references of 32 bits for other machines of 64 bits.
    let is_x86_64 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|machine| machine == "x86_64");
    let all = releases::JIT.iter();
    all.filter(move |build| is_x86_64 || !build.has_narrow_references())
}

/// Builds an interpreter of a LuaJIT with other flags.
fn build_jit(build: &releases::JitBuild) {
    let name = build.name;
    let folder = out_dir().join(format!("vm-{name}"));
    releases::copy_jit(&folder);
    let sources = folder.join("src");
    let mut make = Command::new("make");
    make.current_dir(&sources).args(["-s", "libluajit.a"]);
    make.args([
        "BUILDMODE=static",
        &format!("XCFLAGS=-fPIC {}", build.flags),
    ]);
    // A compiler for another machine is called `MACHINE-gcc`, and its ar and ld lie beside it.
    let compiler = cc::Build::new().get_compiler();
    if let Some(prefix) = compiler.path().to_string_lossy().strip_suffix("-gcc") {
        make.arg(format!("CROSS={prefix}-"));
    }
    let made = make.output().expect("make runs");
    assert!(
        made.status.success(),
        "{make:?}: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    let archive = Archive {
        library: sources.join("libluajit.a"),
        include: sources,
    };
    let mut command = compile(&INTERPRETER);
    command.arg("-I").arg(&archive.include);
    command.arg(format!("-DHOST_VM=\"{name}\""));
    // References of 32 bits reach only what LuaJIT's own allocator finds for it.
    if build.has_narrow_references() {
        command.arg("-DHOST_OWN_ALLOCATOR");
    }
    link(&mut command, &archive);
    command.arg("-Wl,-E");
    run_compiler(command, &release_program(name));
}

/// Builds an interpreter of an older release.
fn build_older(number: usize) {
    let release = releases::OLDER[number];
    let folder = releases::sources(release);
    build_release(&folder, release);
}

/// Builds an interpreter of a Lua that was changed.
fn build_changed(number: usize) {
    let (name, release, header, old, new) = releases::CHANGED[number];
    let folder = out_dir().join(format!("changed-{name}"));
    let folder = releases::changed_sources(release, &[(header, old, new)], &folder);
    build_release(&folder, name);
}

/// Builds a model of skynet. The seed of hashes is one for all its states.
fn build_skynet(number: usize) {
    let (name, release) = releases::SKYNET[number];
    let folder = releases::skynet_sources(release, &out_dir().join(name));
    let mut command = compile(&[SKYNET]);
    command
        .args(releases::library_files(&folder))
        .arg("-I")
        .arg(&folder)
        .args(["-DLUA_USE_LINUX", "-Dluai_makeseed(L)=20261123u"])
        .args(["-w", "-O1", "-Wl,-E"])
        .args(SYSTEM_LIBRARIES);
    run_compiler(command, &release_program(name));
}

/// Builds an interpreter of a Lua that is built otherwise.
fn build_otherwise(number: usize) {
    let build = &builds::BUILDS[number];
    let folder = out_dir().join(format!("built-{}", build.name));
    let folder = releases::changed_sources(build.release, build.edits, &folder);
    match build.is_cpp {
        true => build_as_cpp(&folder, build.name),
        false => build_release(&folder, build.name),
    }
}

/// Builds a program with a Lua that is compiled as C++, so that its functions have mangled names and
/// errors are exceptions; nothing, where there is no compiler for C++.
fn build_as_cpp(folder: &Path, name: &str) {
    let program = release_program(name);
    let compiler = cc::Build::new().cpp(true).pic(true).try_get_compiler();
    let compiler = compiler.map(|compiler| compiler.to_command());
    let _ = fs::remove_file(&program);
    let Some(mut command) = compiler.ok().filter(|command| {
        let found = Command::new(command.get_program())
            .arg("--version")
            .output();
        found.is_ok_and(|found| found.status.success())
    }) else {
        println!(
            "cargo:warning=no compiler for C++: {name} is not built, and its tests are skipped"
        );
        return;
    };
    command
        .args(["-x", "c++", "-w", "-O1"])
        .arg("-I")
        .arg(folder);
    command.arg(Path::new("src").join(STATIC));
    command.args(releases::library_files(folder));
    command
        .args(["-DLUA_USE_LINUX", "-DLUA_COMPAT_5_3", "-DLUA_COMPAT_ALL"])
        .arg("-Wl,-E")
        .args(SYSTEM_LIBRARIES);
    run_compiler(command, &program);
}

/// Builds an interpreter from the C files in a folder, all at once.
fn build_release(folder: &Path, name: &str) {
    let mut command = compile(&INTERPRETER);
    command.args(releases::library_files(folder));
    command
        .arg("-I")
        .arg(folder)
        .args(["-DLUA_USE_LINUX", "-DLUA_COMPAT_5_3", "-DLUA_COMPAT_ALL"])
        .arg(format!("-DHOST_VM=\"{name}\""))
        .args(["-w", "-O0", "-Wl,-E"])
        .args(SYSTEM_LIBRARIES);
    run_compiler(command, &release_program(name));
}

/// The path of an interpreter of this name.
fn release_program(name: &str) -> PathBuf {
    out_dir().join(format!("lua-{name}"))
}

/// A list of the programs that were built, as Rust: names and paths. Without a compiler for C++ some were not.
fn list_of_programs(list: &str, names: impl Iterator<Item = &'static str>) -> String {
    let programs = names.map(|name| (name, release_program(name)));
    let programs: Vec<(&str, PathBuf)> = programs.filter(|(_, path)| path.exists()).collect();
    format!("const {list}: &[(&str, &str)] = &{programs:?};\n")
}

fn build_archive(vm: &str, flavour: Flavour, dir: &Path) -> Archive {
    let checked = flavour == Flavour::Checked;
    let version = match vm {
        "5.1" => lua_src::Lua51,
        "5.2" => lua_src::Lua52,
        "5.3" => lua_src::Lua53,
        "5.4" => lua_src::Lua54,
        "5.5" => lua_src::Lua55,
        _ => {
            let built = luajit_src::Build::new().out_dir(dir).debug(checked).build();
            return Archive {
                include: built.include_dir().to_owned(),
                library: built.lib_dir().join(format!("lib{}.a", built.libs()[0])),
            };
        }
    };
    let built = lua_src::Build::new()
        .out_dir(dir)
        .opt_level(if checked { "1" } else { "2" })
        .debug(checked)
        .build(version);
    Archive {
        include: built.include_dir().to_owned(),
        library: built.lib_dir().join(format!("lib{}.a", built.libs()[0])),
    }
}

/// A compiler call with files of ours; what else it is to do is for the caller to add.
fn compile(files: &[&str]) -> Command {
    let mut command = cc::Build::new()
        .opt_level(2)
        .pic(true)
        .get_compiler()
        .to_command();
    command.args(["-std=gnu11", "-Wall", "-Wextra", "-pthread"]);
    // GCC would make the calloc() of c_heap.c out of a malloc() and a memset(), and so on.
    command
        .arg("-fno-builtin-malloc")
        .arg("-fno-builtin-calloc")
        .arg("-fno-builtin-realloc");
    command.args(files.iter().map(|file| Path::new("src").join(file)));
    command
}

/// Links the whole VM: a C module may want a function that the host does not use.
fn link(command: &mut Command, archive: &Archive) {
    command
        .arg("-Wl,--whole-archive")
        .arg(&archive.library)
        .arg("-Wl,--no-whole-archive");
    command.args(SYSTEM_LIBRARIES);
}

/// Runs the compiler, and gives the library of this package the path of what comes out.
fn finish(command: Command, variable: &str, name: &str) {
    let path = out_dir().join(name);
    run_compiler(command, &path);
    give_path(variable, &path);
}

/// Gives the library of this package a path. A shell passes on only variables whose names it could set
/// itself, and a compiler may be a shell's script.
fn give_path(variable: &str, path: &Path) {
    let variable = variable.replace(['.', '-'], "_");
    println!("cargo:rustc-env=HOST_{variable}={}", path.display());
}

/// Runs the compiler, and shows its warnings.
fn run_compiler(mut command: Command, path: &Path) {
    command.arg("-o").arg(path);
    let done = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{command:?}: {}\n{said}",
        done.status
    );
    for line in said.lines() {
        println!("cargo:warning={line}");
    }
}

fn out_dir() -> PathBuf {
    env::var_os("OUT_DIR").expect("cargo sets OUT_DIR").into()
}
