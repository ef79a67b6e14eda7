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
    arguments freed metamethods files
}

/// A script that is run and prints nothing has found all as it should be.
fn check(vm: Vm, name: &str) {
    let source = read(&tests().join("lua").join(name).with_extension("lua"));
    for host in interpreters(vm) {
        let said = output(run(host, &source));
        assert!(said.is_empty(), "{host:?}: {}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn no_script_is_forgotten() {
    for entry in tests().join("lua").read_dir().expect("the scripts") {
        let name = entry.expect("a script").file_name().into_string().expect("a name in ASCII");
        let name = name.trim_end_matches(".lua");
        assert!(name == "check" || NAMES.contains(&name), "nobody runs {name}.lua");
    }
}
