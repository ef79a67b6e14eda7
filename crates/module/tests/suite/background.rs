//! Snapshots that another process saves: in a program whose locks are taken, in a Lua of another layout, and when the
//! program ends first.

use crate::support::{directory, modules, output, read, run_in, tests};
use luasnap_hosts::{Host, Options, Vm, changed};
use std::time::{Duration, Instant};

/// 64 threads allocate, and at the moment of the fork others have the locks of the allocator, of standard output and of
/// the dynamic linker. The program has handlers, and waits for its children: it sees none.
fn check_crowd(vm: Vm, _: &str) {
    let script = read(&tests().join("lua/crowd.lua"));
    let said = output(run_in(Host::Crowded(vm), &script, directory().path()));
    assert!(said.is_empty());
}
crate::each_vm!(super::check_crowd: crowd);

#[test]
fn a_vm_that_only_the_portable_engine_reads_is_refused() {
    let script = "
        local snapshot = require 'snapshot'
        local is_made, job = pcall(snapshot.background, 'job.luasnap')
        local said = job
        if is_made then
          local is_written
          is_written, said = pcall(job.wait, job)
          assert(not is_written)
        end
        assert(not io.open 'job.luasnap')
        assert(snapshot.snapshot():stats().engine == 'portable')
        print(said)";
    // Those that the native engine can read where a call has no values, and those that are refused altogether.
    let others = ["top-", "numbers-", "record-"];
    let is_portable = |name: &&str| !others.iter().any(|other| name.starts_with(other));
    for name in changed("").filter(is_portable) {
        let said = output(run_in(Host::Changed(name), script, directory().path()));
        let said = String::from_utf8(said).expect("text");
        let [before, after] = [
            "only the native engine can read a heap in another process, and it is not available here: the structures \
             of this Lua",
            "; use `snapshot.snapshot` and `save` instead\n",
        ];
        assert!(
            said.contains(before) && said.ends_with(after),
            "{name}: {said}"
        );
    }
}

/// The process needs nothing of the program that made it.
#[test]
fn it_goes_on_when_the_program_ends() {
    let dir = directory();
    let file = dir.path().join("left.luasnap");
    let script = "
        kept = {}
        for i = 1, 100000 do kept[i] = {i} end
        require 'snapshot'.background 'left.luasnap'
        os.exit(0)";
    let options = Options {
        dir: Some(dir.path().into()),
        ..Options::modules(modules())
    };
    let said = output(Host::Plain(Vm::Lua54).run(script, &options));
    assert!(said.is_empty());
    let since = Instant::now();
    while !file.exists() {
        assert!(
            since.elapsed() < Duration::from_secs(60),
            "it has ended, too"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let load = "print(require 'snapshot'.load 'left.luasnap':path 'kept')";
    let said = output(run_in(Host::Plain(Vm::LuaJit), load, dir.path()));
    assert_eq!(said, b"_G.kept\n");
}
