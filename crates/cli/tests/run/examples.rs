//! The examples print the same in every Lua.

use crate::program::golden::assert_golden;
use crate::program::{Ran, luasnap, module, output};
use luasnap_hosts::{Host, Vm, module_dir};
use std::path::Path;

const NAMES: [&str; 3] = ["leak", "coroutine_leak", "closure_leak"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The script's path relative to the root of the project.
fn script(name: &str) -> String {
    format!("examples/{name}.lua")
}

#[track_caller]
fn succeeded(ran: Ran) -> String {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    without_addresses(&ran.stdout)
}

/// Replaces every address by `0x...`, keeping the width.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let start = clean
            .trim_end_matches(|c: char| c != '\n' && c != ' ')
            .len();
        let name = clean.split_off(start);
        clean.truncate(clean.trim_end_matches(' ').len());
        clean += &format!("{:>26}{rest}", format!("{name}0x..."));
    }
    clean
}

#[test]
fn examples_say_the_same_in_every_lua() {
    for name in NAMES {
        for vm in Vm::ALL {
            let mut command = Host::Plain(vm).command();
            command.current_dir(root()).arg(script(name));
            command.env("LUA_CPATH", module_dir(&module()).join("?.so"));
            assert_golden(name, &succeeded(output(command, "")));
        }
    }
}

#[test]
fn luasnap_reports_the_examples() {
    for (name, held) in [
        ("leak", "server.sessions.*"),
        (
            "coroutine_leak",
            "game.dialogs.*.[scene:examples/coroutine_leak.lua]",
        ),
        ("closure_leak", "events.tick.[*].match"),
    ] {
        let mut command = luasnap(root());
        command.args(["run", &script(name)]);
        let said = succeeded(output(command, ""));
        let header = format!("\n--- luasnap: what examples/{name}.lua left behind ---\n");
        let (own, report) = said.split_once(&header).unwrap();
        assert_golden(name, own);
        assert!(report.lines().any(|line| line.contains(held)), "{said}");
    }
}
