//! A small machine stack, a full disk, and little memory.

use crate::support::{directory, interpreters, modules, output, read, run_in, tests};
use luasnap_hosts::{Host, Options, Run, Vm};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a script of `tests/lua` after the shell has set limits.
fn run_limited(host: Host, limits: &str, script: &Path, dir: &Path, argument: &str) -> Run {
    fs::copy(script, dir.join("script.lua")).expect("a copy of the script");
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("{limits}; exec \"$@\""))
        .arg("sh")
        .arg(host.command().get_program())
        .args(["script.lua", argument])
        .current_dir(dir)
        .env("LUA_CPATH", modules().join("?.so"))
        .env_remove("LUA_PATH")
        .output()
        .expect("a shell");
    Run {
        status: output.status,
        stdout: output.stdout,
        stderr: output.stderr,
    }
}

fn deep(host: Host, script: &str, argument: &str) {
    let (dir, script) = (directory(), tests().join("lua").join(script));
    let run = run_limited(host, "ulimit -s 8192", &script, dir.path(), argument);
    assert!(output(run).is_empty());
}

/// The checked interpreters would only take longer: what they check does not depend on depth.
fn check_deep(vm: Vm, name: &str) {
    deep(Host::Plain(vm), &format!("{name}.lua"), "");
}
crate::each_vm!(super::check_deep: deep);

fn check_chain(vm: Vm, _: &str) {
    deep(Host::Plain(vm), "chain.lua", "1000000");
}
crate::each_vm!(super::check_chain: million);

#[test]
fn a_chain_of_ten_million_tables() {
    // One after the other: each takes 2.5 GB.
    for vm in [Vm::Lua54, Vm::LuaJit] {
        deep(Host::Plain(vm), "chain.lua", "10000000");
    }
}

/// Limits on memory, from too little for the script's own heap to enough for everything: a failed
/// allocation is always an error of Lua's, and never ends the host.
fn check_little_memory(vm: Vm, _: &str) {
    const STEP: usize = 3 << 10;
    let script = tests().join("lua/little_memory.lua");
    let (mut failed, mut kilobytes) = (0, 16 << 10);
    loop {
        assert!(kilobytes < 4 << 20, "no limit was enough");
        kilobytes += STEP;
        let dir = directory();
        let limit = format!("ulimit -v {kilobytes}");
        let run = run_limited(Host::Plain(vm), &limit, &script, dir.path(), "60000");
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        // Without room for the heap, or for the interpreter, there is nothing to check.
        if !said.contains("ready") {
            continue;
        }
        assert!(run.status.success(), "{kilobytes} KiB: {run}");
        match said.contains("all done") {
            true => break,
            false => failed += 1,
        }
    }
    assert!(failed > 2, "{failed}");
}
crate::each_vm!(super::check_little_memory: little_memory);

/// A disk that becomes full in the middle of a file, simulated by the shell's limit on file sizes:
/// 40 times 512 bytes. (`dash` and POSIX count in these; outside its POSIX mode `bash` counts in
/// 1,024, which works too.)
fn check_full_disk(vm: Vm, _: &str) {
    for host in interpreters(vm) {
        let dir = directory();
        let script = tests().join("lua/full.lua");
        let run = run_limited(
            host,
            "trap '' XFSZ; ulimit -f 40",
            &script,
            dir.path(),
            "File too large",
        );
        assert!(output(run).is_empty());
    }
}
crate::each_vm!(super::check_full_disk: full_disk);

/// Standard output that accepts nothing: printing raises an error that says why.
fn check_full_output(vm: Vm, _: &str) {
    let dir = directory();
    let script = tests().join("lua/full_output.lua");
    let run = run_limited(Host::Plain(vm), "exec >/dev/full", &script, dir.path(), "");
    output(run);
}
crate::each_vm!(super::check_full_output: full_output);

/// A real full disk. It needs root, for a small file system.
#[test]
#[ignore = "mounts a file system"]
fn a_small_file_system_that_is_full() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let status = command.args(arguments).arg(place.path()).status();
        status.expect("the command").success()
    };
    if !run("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs"]) {
        eprintln!("not tested, for want of the right to mount");
        return;
    }
    let script = read(&tests().join("lua/full.lua"));
    let check = tests().join("lua/check.lua");
    fs::copy(check, place.path().join("check.lua")).expect("a copy of check.lua");
    let runs: Vec<_> = Vm::ALL
        .into_iter()
        .map(|vm| {
            let options = Options {
                dir: Some(place.path().into()),
                args: vec!["No space left on device".into()],
                ..Options::modules(modules())
            };
            Host::Plain(vm).run(&script, &options)
        })
        .collect();
    assert!(run("umount", &[]));
    for run in runs {
        assert!(output(run).is_empty());
    }
}

/// A link's target is replaced, and the link stays.
#[test]
fn symbolic_links() {
    let dir = directory();
    let source = "
        local snapshot, check = require 'snapshot', require 'check'
        local s = snapshot.snapshot({}, 's')
        s:to_file 'link.txt'
        check.equal(check.text(s), check.read 'target.txt')
        check.raises(\"cannot write 'loop': Too many levels of symbolic links\",
            snapshot.to_file, s, 'loop')
        s:to_jsonfile 'dangling'
        check.equal(check.read 'new.txt', check.read 'dangling')";
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, dir.path().join(name)).expect("a symbolic link");
    };
    fs::write(dir.path().join("target.txt"), "older").expect("a file");
    link("target.txt", "link.txt");
    link("loop", "loop");
    link("new.txt", "dangling");
    assert!(output(run_in(Host::Plain(Vm::Lua54), source, dir.path())).is_empty());
    assert!(dir.path().join("link.txt").is_symlink());
    assert!(dir.path().join("dangling").is_symlink());
}
