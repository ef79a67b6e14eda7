//! Statically linked programs, in which the module cannot work: its error refers users to
//! attaching.

use crate::heaps::{global, only};
use crate::target::Target;
use luasnap_capture::process::{AttachOptions, attach};
use luasnap_heap::{Census, Snapshot};
use luasnap_hosts::Vm;
use std::process::Command;

const SCRIPT: &str = "
    value = { { {} } }
    print 'ready'
    io.stdout:flush()
    io.read()";

fn check(vm: Vm, _: &str) {
    let Some(program) = vm.static_program() else {
        eprintln!("SKIPPED in {}: this system has no static libc", vm.name());
        return;
    };
    let mut command = Command::new(program);
    command.arg("script.lua");
    let target = Target::start_command(command, SCRIPT);
    let attached = attach(target.id(), AttachOptions::default()).expect("it can be read");
    let (_, heap) = only(attached);
    global(&heap, "value");
    let census = Census::new(&Snapshot::new(heap)).expect("memory");
    assert_eq!(census.unaccounted, Some(0), "{vm:?}");
}

crate::each_vm!(super::check: is_read);
