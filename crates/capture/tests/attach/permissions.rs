//! Processes that the system does not let us read, each with its own remedy.

use crate::target::{Target, child_of_this_test, stdout_of};
use luasnap_capture::process::{AttachOptions, attach};
use luasnap_hosts::{Host, Vm};
use std::fs;
use std::io::{BufRead, BufReader, Error, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The user `nobody`, who has no rights.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    // SAFETY: it takes nothing and always succeeds.
    unsafe { libc::geteuid() == 0 }
}

/// Makes a command run as `nobody`.
fn as_nobody(command: &mut Command) {
    command.current_dir("/").uid(NOBODY).gid(NOBODY);
}

/// Copies this program to a folder where every user can run it, as long as the folder exists.
fn for_every_user(child: &mut Command) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("rights");
    let copy = folder.path().join("test");
    // Not copied by this process: a file is busy while a child of another test has it open for
    // writing.
    let copied = Command::new("cp")
        .args([child.get_program(), copy.as_os_str()])
        .status();
    assert!(copied.expect("cp").success());
    let arguments: Vec<_> = child.get_args().map(ToOwned::to_owned).collect();
    *child = Command::new(copy);
    child.args(arguments);
    folder
}

/// Run by another test as a child process, and does nothing otherwise: prints why it cannot attach.
#[test]
fn child_that_is_refused() {
    let Ok(target) = std::env::var("TARGET") else {
        return;
    };
    let target = target.parse().expect("a number");
    let error = attach(target, AttachOptions::default()).expect_err("a reason");
    println!("{:?}: {error}", error.kind());
}

fn refused_child() -> Command {
    child_of_this_test("permissions::child_that_is_refused")
}

#[track_caller]
fn assert_refused(child: &mut Command, target: u32, parts: &[&str]) {
    let said = stdout_of(child.env("TARGET", target.to_string()));
    let start = format!("NotPermitted: process {target} may not be read: ");
    assert!(said.contains(&start), "{said}");
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
}

/// As root, `nobody` tries to read a process of root's. As another user, that user does.
#[test]
fn a_process_of_another_user() {
    let remedy = ["belongs to user 0; run luasnap as that user, or as root"];
    let mut child = refused_child();
    if !is_root() {
        return assert_refused(&mut child, 1, &remedy);
    }
    let target = Target::start(Host::Plain(Vm::Lua54), crate::heaps::SCRIPT);
    let _folder = for_every_user(&mut child);
    as_nobody(&mut child);
    assert_refused(&mut child, target.id(), &remedy);
}

/// As in a container, whose root lacks the capability for good.
#[test]
fn root_without_the_capability() {
    const SYS_PTRACE: libc::c_ulong = 19;
    if !is_root() {
        eprintln!("not tested: root without SYS_PTRACE, since this is not root");
        return;
    }
    let mut target = Command::new("cat");
    as_nobody(&mut target);
    let mut target = target.stdin(Stdio::piped()).spawn().expect("cat");
    let mut child = refused_child();
    // SAFETY: a system call, which needs nothing of this process.
    unsafe {
        child.pre_exec(|| {
            // Capabilities that are not in this set cannot be gained by executing a program.
            match libc::prctl(libc::PR_CAPBSET_DROP, SYS_PTRACE, 0, 0, 0) {
                0 => Ok(()),
                _ => Err(Error::last_os_error()),
            }
        });
    }
    let remedy = [
        "this process is root without the capability SYS_PTRACE",
        "start the container with `--cap-add SYS_PTRACE`",
        "run luasnap outside of it",
    ];
    assert_refused(&mut child, target.id(), &remedy);
    target.kill().expect("it runs");
    target.wait().expect("its end");
}

/// Run by another test as a child process, and does nothing otherwise: protects itself, and waits
/// for its input to end.
#[test]
fn child_that_protects_itself() {
    if std::env::var_os("PROTECTED").is_none() {
        return;
    }
    // SAFETY: it changes only what others may do with this process.
    let protected = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
    assert_eq!(protected, 0);
    println!("protected");
    std::io::stdin()
        .read_to_end(&mut Vec::new())
        .expect("an end");
}

/// Not even its own user may read it, unless that is root.
#[test]
fn a_process_that_protects_itself() {
    let (mut target, mut child) = (
        child_of_this_test("permissions::child_that_protects_itself"),
        refused_child(),
    );
    let mut folders = Vec::new();
    if is_root() {
        for command in [&mut target, &mut child] {
            folders.push(for_every_user(command));
            as_nobody(command);
        }
    }
    let target = target.env("PROTECTED", "").stdin(Stdio::piped());
    let mut target: Child = target.stdout(Stdio::piped()).spawn().expect("this test");
    let mut lines = BufReader::new(target.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.expect("text").contains("protected")));
    let remedy = [
        "it is protected",
        "(`prctl(PR_SET_DUMPABLE)`); run luasnap as root",
    ];
    assert_refused(&mut child, target.id(), &remedy);
    drop(target.stdin.take());
    assert!(target.wait().expect("its end").success());
}
