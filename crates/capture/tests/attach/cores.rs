//! Core files: written by hand, by the kernel, and by a debugger.

use crate::core_file::{Left, PAGE, write_core};
use crate::heaps::{SCRIPT, check_heap};
use crate::target::Target;
use luasnap_capture::process::{CoreError, CoreErrorKind, StateCapture, read_core};
use luasnap_hosts::{Host, Vm, jit_with_narrow_references};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A stopped process that runs `script.lua`, and a core file of it.
fn core_of(host: Host) -> (Target, PathBuf) {
    let target = Target::start(host, SCRIPT);
    let stopped = Command::new("sh")
        .args(["-c", &format!("kill -STOP {}", target.id())])
        .status();
    assert!(stopped.expect("a shell").success());
    target.wait_for_state('T');
    let path = target.folder().join("a core file");
    write_core(target.id(), &path, Left::None);
    (target, path)
}

#[track_caller]
fn check(captures: Result<Vec<StateCapture>, CoreError>, vm: Vm) {
    let mut captures = captures.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(captures.len(), 1);
    let (state, heap) = captures.remove(0);
    let family = match vm {
        Vm::LuaJit => "LuaJIT".to_owned(),
        vm => format!("Lua {}", vm.name()),
    };
    assert_eq!(state.vm.family(), family);
    assert_eq!(state.script.as_deref(), Some("script.lua"));
    let heap = heap.unwrap_or_else(|error| panic!("{error}"));
    assert!(heap.provenance().taken_at.is_some());
    // It says nothing of physical memory.
    assert_eq!(heap.provenance().process_memory, Default::default());
    check_heap(heap);
}

/// A core file cannot be captured again, and may catch the VM in the middle of an allocation: so
/// several are tried until one is exact.
#[track_caller]
fn check_host_by_hand(host: Host, vm: Vm) {
    for _ in 0..20 {
        let (_target, path) = core_of(host);
        let mut captures = read_core(&path, None).unwrap_or_else(|error| panic!("{error}"));
        let (_, heap) = captures.remove(0);
        let is_exact = heap.is_ok_and(|heap| {
            let census = luasnap_heap::Census::new(&luasnap_heap::Snapshot::new(heap)).unwrap();
            census.unaccounted == Some(0)
        });
        if is_exact {
            check(
                read_core(&path, Some(host.command().get_program().as_ref())),
                vm,
            );
            return;
        }
    }
    panic!("no core file of {host:?} was whole");
}

fn check_by_hand(vm: Vm, _: &str) {
    check_host_by_hand(Host::Plain(vm), vm);
}
crate::each_vm!(super::check_by_hand: by_hand);

#[test]
fn with_references_of_32_bits() {
    if let Some(host) = jit_with_narrow_references() {
        check_host_by_hand(host, Vm::LuaJit);
    }
}

/// Writes that a core file is of another machine (`e_machine`).
fn set_machine(path: &Path, machine: u16) {
    let mut bytes = fs::read(path).expect("the core file");
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    fs::write(path, bytes).expect("it is written");
}

/// The structures of PUC Lua are alike on all machines. Those of LuaJIT are not: what fits those of one machine is not
/// read as one of another.
#[test]
fn the_machine_decides_which_layouts_are_tried() {
    const AARCH64: u16 = 183;
    const RISC_V: u16 = 243;
    for machine in [AARCH64, RISC_V] {
        let (_target, path) = core_of(Host::Plain(Vm::Lua54));
        set_machine(&path, machine);
        assert_eq!(read_core(&path, None).expect("a state").len(), 1);
        let (_target, path) = core_of(Host::Plain(Vm::LuaJit));
        assert_eq!(read_core(&path, None).expect("a state").len(), 1);
        set_machine(&path, machine);
        let kind = refused(&path).kind();
        let kinds = [CoreErrorKind::NoLuaState, CoreErrorKind::Unsupported];
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[track_caller]
fn refused(path: &Path) -> CoreError {
    read_core(path, None).expect_err("a reason")
}

#[test]
fn files_that_are_not_cores() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    let error = refused(&path);
    assert_eq!(error.kind(), CoreErrorKind::Unreadable);
    assert!(
        error.to_string().starts_with(&path.display().to_string()),
        "{error}"
    );
    for (text, kind) in [
        (&b""[..], CoreErrorKind::NoCore),
        (b"no core", CoreErrorKind::NoCore),
        (b"\x7fELF\x02\x01\x01", CoreErrorKind::NoCore),
        (b"\x7fELF\x01\x01\x01", CoreErrorKind::OtherMachine),
    ] {
        fs::write(&path, text).expect("a file");
        assert_eq!(refused(&path).kind(), kind);
    }
    let program = std::env::current_exe().expect("this test");
    assert_eq!(refused(&program).kind(), CoreErrorKind::NoCore);
    assert_eq!(refused(folder.path()).kind(), CoreErrorKind::Unreadable);
}

#[test]
fn files_that_end_early() {
    let (_target, path) = core_of(Host::Plain(Vm::Lua54));
    let whole = fs::read(&path).expect("the core file");
    let cut = path.with_file_name("cut");
    for len in [64, 100, 64 + 56, 2 * PAGE, whole.len() / 4] {
        fs::write(&cut, &whole[..len]).expect("a file");
        let error = refused(&cut);
        let kinds = [CoreErrorKind::Truncated, CoreErrorKind::NoCore];
        assert!(kinds.contains(&error.kind()), "{len}: {error}");
    }
    // Missing at the end is the stack, which a heap can do without, or the loader's memory.
    fs::write(&cut, &whole[..whole.len() - PAGE]).expect("a file");
    assert_eq!(read_core(&cut, None).expect("a state").len(), 1);
}

/// Whatever the headers say, reading returns.
#[test]
fn headers_that_lie() {
    let (_target, path) = core_of(Host::Plain(Vm::Lua54));
    let mut bytes = fs::read(&path).expect("the core file");
    let wrong = path.with_file_name("wrong");
    for at in (16..64 + 56 * 8).step_by(3) {
        let before = bytes[at];
        for value in [0, 0xff, before ^ 0x55] {
            bytes[at] = value;
            fs::write(&wrong, &bytes).expect("a file");
            let _ = read_core(&wrong, None);
        }
        bytes[at] = before;
    }
}

#[test]
#[ignore = "needs gdb"]
fn by_a_debugger() {
    for vm in Vm::ALL {
        let waiting = SCRIPT.replace("while true do", "while turn < 1000 do");
        let waiting = waiting.replace("io.stdout:flush()\n", "io.stdout:flush() io.read()\n");
        let target = Target::start(Host::Plain(vm), &waiting);
        let path = target.folder().join("core");
        let written = Command::new("gcore")
            .arg("-o")
            .arg(&path)
            .arg(target.id().to_string())
            .output()
            .expect("gcore; Debian's package is gdb");
        assert!(written.status.success());
        let path = path.with_extension(target.id().to_string());
        check(read_core(&path, None), vm);
        let process = |path: &Path| {
            let captures = read_core(path, None).expect("a state");
            captures[0].1.as_ref().expect("a heap").provenance().process
        };
        let process = process(&path).expect("the process is noted");
        assert_eq!(process.id, target.id());
    }
}

#[test]
#[ignore = "needs kernel.core_pattern to be a plain name"]
fn by_the_kernel() {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("a pattern");
    let pattern = pattern.trim();
    assert!(!pattern.contains(['|', '/', '%']), "{pattern}");
    for vm in Vm::ALL {
        let waiting = SCRIPT.replace("while true do", "while turn < 1000 do");
        let waiting = waiting.replace("io.stdout:flush()\n", "io.stdout:flush() io.read()\n");
        let program = Host::Plain(vm).command();
        let program = program.get_program().to_str().expect("a path").to_owned();
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "ulimit -c unlimited; exec \"$0\" script.lua",
            &program,
        ]);
        let mut target = Target::start_command(shell, &waiting);
        let aborted = Command::new("sh")
            .args(["-c", &format!("kill -ABRT {}", target.id())])
            .status();
        assert!(aborted.expect("a shell").success());
        assert_eq!(target.wait_for_signal(), 6);
        let written = fs::read_dir(target.folder()).expect("the folder").flatten();
        let core = written
            .map(|file| file.path())
            .find(|path| path.to_string_lossy().contains(pattern) && !path.ends_with("script.lua"));
        check(read_core(&core.expect("a core file"), None), vm);
    }
}
