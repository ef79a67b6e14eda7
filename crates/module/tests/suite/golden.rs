//! The scripts of `tests/golden`, which need no host of ours, and their output.
//!
//! The text is the same in all VMs, with both engines. Where 5.1 and LuaJIT have to differ, since
//! they have environments, there is a file for them: `NAME.5.1.txt`.
//!
//! `UPDATE_GOLDEN=1 cargo test golden` records what Lua 5.4 and 5.1 print now.

use crate::support::{ENGINES, interpreters, output, read, run_by, tests};
use luasnap_hosts::{Vm, number_objects};
use std::fs;
use std::path::{Path, PathBuf};

macro_rules! golden {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $crate::each_vm!(super::check: $($name)*);
    };
}

golden! { text keys json difference functions order }

fn check(vm: Vm, name: &str) {
    let folder = tests().join("golden");
    let source = read(&folder.join(name).with_extension("lua"));
    let golden = golden(vm, name);
    let update = std::env::var_os("UPDATE_GOLDEN").is_some() && vm == author(&golden);
    for host in interpreters(vm) {
        // Hash seeds and addresses differ from run to run.
        for engine in ENGINES {
            let text = output(run_by(engine, host, &source));
            let text = number_objects(&String::from_utf8(text).expect("text"));
            if update {
                fs::write(&golden, text).expect("the golden file is written");
            } else {
                assert_eq!(text, read(&golden), "{host:?}, {engine}");
            }
        }
    }
}

fn golden(vm: Vm, name: &str) -> PathBuf {
    let folder = tests().join("golden");
    let own = folder.join(format!("{name}.5.1.txt"));
    if matches!(vm, Vm::Lua51 | Vm::LuaJit) && own.exists() {
        return own;
    }
    folder.join(format!("{name}.txt"))
}

/// The VM whose output is recorded in a golden file.
fn author(golden: &Path) -> Vm {
    if golden.to_string_lossy().ends_with(".5.1.txt") {
        Vm::Lua51
    } else {
        Vm::Lua54
    }
}

#[test]
fn no_golden_script_is_forgotten() {
    for entry in tests().join("golden").read_dir().expect("the scripts") {
        let name = entry
            .expect("a script")
            .file_name()
            .into_string()
            .expect("a name in ASCII");
        let name = name.split('.').next().unwrap_or_default();
        assert!(NAMES.contains(&name), "nobody runs {name}");
    }
}
