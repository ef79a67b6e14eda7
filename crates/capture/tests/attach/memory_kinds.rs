//! Heaps in memory of all kinds: next to constants, shared with other processes, in files, partly
//! frozen.

use crate::core_file::{Left, write_core};
use crate::heaps::{global, only};
use crate::target::{Target, child_of_this_test, stdout_of};
use luasnap_capture::process::{AttachErrorKind, AttachOptions, attach, lua_processes, read_core};
use luasnap_heap::{Census, Heap, Snapshot};
use mlua_sys as lua;
use std::ffi::{CString, c_void};
use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::ptr::null_mut;

const POOL: usize = 16 << 20;
const KINDS: [&str; 7] = [
    "private", "beside", "frozen", "shared", "memfd", "file", "mixed",
];

/// Size of a page in bytes.
fn page_size() -> usize {
    // SAFETY: it takes nothing.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Memory that is handed out once.
struct Pool {
    at: usize,
    end: usize,
    /// Whether every second block comes from the C library.
    is_mixed: bool,
    count: usize,
}

/// A `lua_Alloc`.
unsafe extern "C" fn allocate(
    pool: *mut c_void,
    old: *mut c_void,
    old_len: usize,
    len: usize,
) -> *mut c_void {
    // SAFETY: the state has this pool, and only its thread uses it.
    let pool = unsafe { &mut *pool.cast::<Pool>() };
    if len == 0 || (!old.is_null() && len <= old_len) {
        return if len == 0 { null_mut() } else { old };
    }
    pool.count += 1;
    let new = if pool.is_mixed && pool.count.is_multiple_of(2) {
        // SAFETY: it takes a number.
        unsafe { libc::malloc(len) }
    } else {
        let start = pool.at.next_multiple_of(16);
        if start + len > pool.end {
            return null_mut();
        }
        pool.at = start + len;
        start as *mut c_void
    };
    if !old.is_null() {
        // SAFETY: the old block has so many bytes, and the new one more.
        unsafe { std::ptr::copy_nonoverlapping(old.cast::<u8>(), new.cast(), old_len) };
    }
    new
}

/// Maps a pool of a kind, with one page before it and one behind.
fn map(kind: &str) -> usize {
    let both = libc::PROT_READ | libc::PROT_WRITE;
    let len = POOL + 2 * page_size();
    let anonymous = libc::MAP_ANONYMOUS;
    let (flags, file) = match kind {
        "shared" | "mixed" => (libc::MAP_SHARED | anonymous, -1),
        // SAFETY: a name, and no flags.
        "memfd" => (libc::MAP_SHARED, unsafe {
            libc::memfd_create(c"heap".as_ptr(), 0)
        }),
        "file" => {
            let file = fs::File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open("heap");
            let file = file.expect("a file");
            let descriptor = file.as_raw_fd();
            std::mem::forget(file);
            (libc::MAP_SHARED, descriptor)
        }
        _ => (libc::MAP_PRIVATE | anonymous, -1),
    };
    if file >= 0 {
        // SAFETY: it is open, and this program's own.
        assert_eq!(unsafe { libc::ftruncate(file, len as i64) }, 0);
    }
    // SAFETY: a new mapping, placed by the kernel.
    let start = unsafe { libc::mmap(null_mut(), len, both, flags, file, 0) };
    assert_ne!(start, libc::MAP_FAILED);
    let start = start as usize;
    if kind == "beside" {
        for page in [start, start + page_size() + POOL] {
            // SAFETY: pages of the mapping, which nobody else uses.
            unsafe {
                (page as *mut u8).write(1);
                assert_eq!(
                    libc::mprotect(page as *mut _, page_size(), libc::PROT_READ),
                    0
                );
            }
        }
    }
    start
}

/// Run by another test as a child process, and does nothing otherwise: has a state in a pool of the
/// kind that the environment names.
#[test]
fn child_with_a_pool() {
    let Ok(kind) = std::env::var("POOL") else {
        return;
    };
    let start = map(&kind);
    let mut pool = Pool {
        at: start + page_size(),
        end: start + page_size() + POOL,
        is_mixed: kind == "mixed",
        count: 0,
    };
    let source = "cache = {} for i = 1, 20000 do cache[i] = { i, name = 'n' .. i } end";
    let source = CString::new(source).expect("no zero byte");
    // SAFETY: the pool is there until this program ends, and this thread alone uses the state.
    unsafe {
        let state = lua::lua_newstate(allocate, (&raw mut pool).cast());
        assert!(!state.is_null());
        lua::luaL_openlibs(state);
        assert_eq!(lua::luaL_loadstring(state, source.as_ptr()), 0);
        assert_eq!(lua::lua_pcall(state, 0, 0, 0), 0);
    }
    if kind == "frozen" {
        // In the middle of the heap, whatever crosses the page boundaries.
        let middle = (start + (pool.at - start) / 2) & !(page_size() - 1);
        // SAFETY: Lua no longer runs.
        unsafe {
            assert_eq!(
                libc::mprotect(middle as *mut _, 8 * page_size(), libc::PROT_READ),
                0
            )
        };
    }
    println!("\nready");
    std::io::stdout().flush().expect("a pipe");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn target(kind: &str) -> Target {
    let mut command = child_of_this_test("memory_kinds::child_with_a_pool");
    command.env("POOL", kind);
    Target::start_command(command, "")
}

#[track_caller]
fn check(heap: Heap, kind: &str) {
    let cache = global(&heap, "cache");
    assert_eq!(heap.count(cache), 20000, "{kind}");
    let census = Census::new(&Snapshot::new(heap)).unwrap();
    assert_eq!(census.unaccounted, Some(0), "{kind}");
}

#[test]
fn attached() {
    for kind in KINDS {
        let target = target(kind);
        let attached = attach(target.id(), AttachOptions::default());
        let attached = attached.unwrap_or_else(|error| panic!("{kind}: {error}"));
        check(only(attached).1, kind);
        let listed = lua_processes();
        let listed = listed.iter().find(|process| process.pid == target.id());
        assert_eq!(
            listed.map(|process| process.states.len()),
            Some(1),
            "{kind}"
        );
    }
}

#[test]
fn in_core_files() {
    for kind in KINDS {
        let target = target(kind);
        let path = target.folder().join("core");
        // By default the kernel leaves out what is shared with a named file.
        for left in [Left::None, Left::SharedFiles] {
            write_core(target.id(), &path, left);
            let captures = read_core(&path, None);
            let mut captures = captures.unwrap_or_else(|error| panic!("{kind}, {left:?}: {error}"));
            assert_eq!(captures.len(), 1);
            let heap = captures.remove(0).1;
            check(heap.unwrap_or_else(|error| panic!("{kind}: {error}")), kind);
        }
    }
}

/// Shared memory that has no state is not copied while the process is stopped.
#[test]
fn shared_memory_without_a_state_stays_where_it_is() {
    let mut command = child_of_this_test("memory_kinds::child_that_shares_much");
    command.env("SHARES", "");
    let target = Target::start_command(command, "");
    let attached = attach(target.id(), AttachOptions::default()).unwrap();
    assert!(attached.copied < 64 << 20, "{}", attached.copied);
    check(only(attached).1, "private");
}

/// Run by another test as a child process, and does nothing otherwise: has a state in private
/// memory, and much shared memory.
#[test]
fn child_that_shares_much() {
    if std::env::var_os("SHARES").is_none() {
        return;
    }
    let (both, len) = (libc::PROT_READ | libc::PROT_WRITE, 64 << 20);
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, placed by the kernel, all of which is written.
    unsafe {
        let shared = libc::mmap(null_mut(), len, both, flags, -1, 0);
        assert_ne!(shared, libc::MAP_FAILED);
        shared.cast::<u8>().write_bytes(1, len);
        std::env::set_var("POOL", "private");
    }
    child_with_a_pool();
}

/// Run by another test as a child process, and does nothing otherwise: attaches with little room
/// for the copy.
#[test]
fn child_with_little_room() {
    let Ok(target) = std::env::var("TARGET") else {
        return;
    };
    let target = target.parse().expect("a number");
    if let Ok(megabytes) = std::env::var("MEGABYTES") {
        let statm = fs::read_to_string("/proc/self/statm").expect("a line");
        let pages: u64 = statm.split(' ').next().unwrap().parse().expect("pages");
        let megabytes: u64 = megabytes.parse().expect("a number");
        let most = pages * page_size() as u64 + (megabytes << 20);
        let limit = libc::rlimit {
            rlim_cur: most,
            rlim_max: most,
        };
        // SAFETY: the limit is only read.
        let failed = unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
        assert_eq!(failed, 0);
    }
    let scratch = std::env::var_os("SCRATCH");
    let options = AttachOptions {
        scratch: scratch.as_deref().map(Path::new),
        ..AttachOptions::default()
    };
    match attach(target, options) {
        Ok(attached) => println!("captured {}", attached.captures.len()),
        Err(error) => println!("{:?}: {error}", error.kind()),
    }
}

fn attached_with(target: &Target, variables: &[(&str, &str)]) -> String {
    let mut child = child_of_this_test("memory_kinds::child_with_little_room");
    child.env("TARGET", target.id().to_string());
    stdout_of(child.envs(variables.iter().copied()))
}

#[test]
fn without_room_for_the_copy_nothing_is_stopped() {
    let target = target("private");
    // The heap and its copy take about 10 MB, and 8 MB more are fetched.
    let said = attached_with(&target, &[("MEGABYTES", "12")]);
    let kind = AttachErrorKind::NoRoom;
    let start = format!("{kind:?}: process {} was not stopped: ", target.id());
    assert!(said.contains(&start), "{said}");
    for part in ["need about ", " MiB of memory, and ", "ulimit -v", "gcore"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(attached_with(&target, &[]).contains("captured 1"));
    // Whatever the limit, there is a result.
    for megabytes in 13..60 {
        let said = attached_with(&target, &[("MEGABYTES", &megabytes.to_string())]);
        let answers = ["captured 1", "NoRoom: process ", "not enough memory"];
        assert!(answers.iter().any(|answer| said.contains(answer)), "{said}");
    }
}

#[test]
fn a_folder_takes_the_copy() {
    let target = target("private");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    let said = attached_with(&target, &[("SCRATCH", path)]);
    assert!(said.contains("captured 1"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    let options = AttachOptions {
        scratch: Some(folder.path()),
        ..AttachOptions::default()
    };
    check(only(attach(target.id(), options).unwrap()).1, "scratch");
    let nowhere = folder.path().join("nowhere");
    let said = attached_with(&target, &[("SCRATCH", nowhere.to_str().expect("a path"))]);
    assert!(
        said.contains("Failed: ") && said.contains("No such file"),
        "{said}"
    );
    assert!(said.contains("nowhere"), "{said}");
}

/// As in a container with a limit. It needs root, and a system with control groups for memory.
#[test]
#[ignore = "makes a control group"]
fn a_control_group_without_room() {
    let groups = [
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        ("/sys/fs/cgroup", "memory.max"),
    ];
    let made = groups.into_iter().find_map(|(folder, limit)| {
        let group = Path::new(folder).join(format!("luasnap-test-{}", std::process::id()));
        fs::create_dir(&group).ok()?;
        let limited = fs::write(group.join(limit), format!("{}", 24 << 20));
        match limited {
            Ok(()) => Some(group),
            Err(_) => {
                let _ = fs::remove_dir(&group);
                None
            }
        }
    });
    let Some(group) = made else {
        eprintln!("not tested: no control group for memory can be made here");
        return;
    };
    let target = target("private");
    let mut child = child_of_this_test("memory_kinds::child_with_little_room");
    let program = child.get_program().to_owned();
    let arguments: Vec<_> = child.get_args().map(ToOwned::to_owned).collect();
    child = Command::new("sh");
    child.args(["-c", "echo $$ > \"$0/cgroup.procs\"; exec \"$@\""]);
    child.arg(&group).arg(program).args(arguments);
    let said = stdout_of(child.env("TARGET", target.id().to_string()));
    while fs::remove_dir(&group).is_err_and(|error| error.raw_os_error() == Some(libc::EBUSY)) {
        std::thread::yield_now();
    }
    assert!(said.contains("NoRoom: "), "{said}");
    assert!(said.contains("control group"), "{said}");
    assert!(said.contains("--scratch"), "{said}");
}
