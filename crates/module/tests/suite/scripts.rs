//! The scripts of `tests/lua`.

use crate::support::{interpreters, output, read, run, tests};
use luasnap_hosts::Vm;

macro_rules! scripts {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $crate::each_vm!(super::check: $($name)*);
    };
}

scripts! {
    absent arguments collector contexts dropped files freed memory metamethods module oracle reach
    threads untouched varargs weak
}

/// What is not in that list: the scripts' common ground, and what limits.rs runs.
const OTHERS: &[&str] = &["check", "chain", "deep", "full", "full_output"];

/// Those that have to print.
const PRINTING: &[&str] = &["memory"];

/// A script that ends without an error has found all as it should be.
fn check(vm: Vm, name: &str) {
    let source = read(&tests().join("lua").join(name).with_extension("lua"));
    for host in interpreters(vm) {
        let said = output(run(host, &source));
        let said = String::from_utf8_lossy(&said);
        let may_print = PRINTING.contains(&name);
        assert!(said.is_empty() || may_print, "{host:?}: {said}");
    }
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
            OTHERS.contains(&name) || NAMES.contains(&name),
            "nobody runs {name}.lua"
        );
    }
}
