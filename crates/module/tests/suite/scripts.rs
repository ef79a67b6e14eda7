//! The scripts of `tests/lua`.

use crate::support::{ENGINES, interpreters, output, read, run_by, tests};
use luasnap_hosts::{Host, Vm};

macro_rules! scripts {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $crate::each_vm!(super::check: $($name)*);
    };
}

scripts! {
    absent answers arguments background collector contexts coroutines culprits dropped files freed growing hostile language leaks ledger memory
    metamethods module oracle owners page pasted paths reach sandboxes saved statistics threads untouched varargs waste weak weakness
}

/// The scripts for the native engine only.
mod native {
    use luasnap_hosts::Vm;

    macro_rules! scripts {
        ($($name:ident)*) => {
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];
            $crate::each_vm!(super::check: $($name)*);
        };
    }

    scripts! { collected identity recursion silent }

    fn check(vm: Vm, name: &str) {
        for host in super::interpreters(vm) {
            super::check_by("native", host, name);
        }
    }
}

/// The scripts in neither list: shared code, and those that other files here run.
const OTHERS: &[&str] = &[
    "chain",
    "changed",
    "check",
    "crowd",
    "deep",
    "exact",
    "full",
    "full_output",
    "little_memory",
    "zoo",
];

/// The scripts that have to print.
const PRINTING: &[&str] = &["memory"];

fn check(vm: Vm, name: &str) {
    for host in interpreters(vm) {
        for engine in ENGINES {
            check_by(engine, host, name);
        }
    }
}

/// A script ends without an error if all is as expected.
fn check_by(engine: &str, host: Host, name: &str) {
    let source = read(&tests().join("lua").join(name).with_extension("lua"));
    let mut run = run_by(engine, host, &source);
    assert!(run.status.success(), "{host:?}, {engine}: {run}");
    if matches!(host, Host::Jit(_)) {
        // These tell of an error in a finalizer, which a script raises on purpose.
        let said = String::from_utf8_lossy(&run.stderr);
        run.stderr = said.replace("ERROR in finalizer: ?\n", "").into_bytes();
    }
    let said = output(run);
    let said = String::from_utf8_lossy(&said);
    let may_print = PRINTING.contains(&name);
    assert!(said.is_empty() || may_print, "{host:?}, {engine}: {said}");
}

#[test]
fn no_script_is_forgotten() {
    for entry in tests().join("lua").read_dir().expect("the scripts") {
        let name = entry
            .expect("a script")
            .file_name()
            .into_string()
            .expect("a name in ASCII");
        let name = name.trim_end_matches(".lua");
        assert!(
            [OTHERS, NAMES, native::NAMES].concat().contains(&name),
            "nobody runs {name}.lua"
        );
    }
}
