//! `luasnap run` in installed interpreters.

use crate::program::{Program, luasnap, output};
use luasnap_hosts::Vm;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;

fn in_each(source: &str, check: impl Fn(Vm, Program)) {
    for vm in Vm::ALL {
        check(vm, Program::new(source).interpreter(vm.interpreter()));
    }
}

#[test]
fn every_lua_reports_what_a_script_leaves_behind() {
    let script = "
        print(host.vm, arg[0], #arg, select('#', ...), ...)
        print(arg[-1] ~= nil, arg[-2], io.read())
        cache = {} for i = 1, 1000 do cache[i] = {} end";
    in_each(script, |vm, program| {
        let name = if vm == Vm::LuaJit { "jit" } else { vm.name() };
        let ran = program.stdin("a line\n").run(&["one", "--two"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
        let own = format!("{name}\tscript.lua\t2\t2\tone\t--two\ntrue\tnil\ta line\n\n---");
        assert!(ran.stdout.starts_with(&own), "{vm:?}: {ran:#?}");
        assert!(
            ran.stdout.contains(" 1,001 new objects"),
            "{vm:?}: {ran:#?}"
        );
        assert!(ran.stdout.contains("cache.[*]"), "{vm:?}: {ran:#?}");
    });
}

#[test]
fn every_lua_leaves_nothing_of_the_driver() {
    in_each(
        "print(package.cpath) print(require 'snapshot' == snapshot)",
        |vm, program| {
            let ran = program.run(&[]);
            assert!(
                ran.stdout.ends_with(
                    "true\n\n--- luasnap: what script.lua left behind ---\n\
                nothing new is left behind.\n"
                ),
                "{vm:?}: {ran:#?}"
            );
            assert!(!ran.stdout.contains("luasnap-"), "{vm:?}: {ran:#?}");
        },
    );
}

#[test]
fn every_lua_tells_errors_alike() {
    in_each(
        "print 'before'\nlocal function fails() error('oh no') end\nfails()",
        |vm, program| {
            let ran = program.run(&[]);
            assert_eq!(ran.code, Some(1), "{vm:?}: {ran:#?}");
            let lines: Vec<_> = ran.stderr.lines().collect();
            assert_eq!(
                lines[..2],
                ["luasnap: script.lua:2: oh no", "stack traceback:"],
                "{vm:?}"
            );
            assert!(
                lines[3].starts_with("\tscript.lua:2: in "),
                "{vm:?}: {ran:#?}"
            );
            assert_eq!(
                lines[4..],
                ["\tscript.lua:3: in main chunk", "\t[C]: in ?"],
                "{vm:?}"
            );
            assert!(
                ran.stdout.starts_with("before\n\n--- luasnap"),
                "{vm:?}: {ran:#?}"
            );
        },
    );
    in_each("error()", |vm, program| {
        let ran = program.run(&[]);
        assert_eq!(ran.code, Some(1), "{vm:?}: {ran:#?}");
        assert!(
            ran.stderr
                .starts_with("luasnap: (error object is a nil value)\n"),
            "{ran:#?}"
        );
    });
    in_each(
        "local function f() return 1 + f() end f()",
        |vm, program| {
            let ran = program.run(&[]);
            assert_eq!(ran.code, Some(1), "{vm:?}: {ran:#?}");
            assert!(ran.stderr.contains("stack overflow"), "{vm:?}: {ran:#?}");
            assert!(ran.stdout.contains("--- luasnap"), "{vm:?}: {ran:#?}");
        },
    );
    in_each("this is no Lua", |vm, program| {
        let ran = program.run(&[]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(1), ""),
            "{vm:?}: {ran:#?}"
        );
        assert!(
            ran.stderr.starts_with("luasnap: script.lua:1: "),
            "{vm:?}: {ran:#?}"
        );
    });
}

#[test]
fn every_lua_ends_as_the_script_says() {
    in_each("os.exit(tonumber((...)))", |vm, program| {
        assert_eq!(program.run(&["3"]).code, Some(3), "{vm:?}");
        let ran = program.run(&[]);
        assert_eq!(ran.code, Some(0), "{vm:?}");
        assert!(ran.stdout.contains("--- luasnap"), "{vm:?}: {ran:#?}");
    });
    in_each("os.exit((...) == 'true', true)", |vm, program| {
        let (yes, no) = (program.run(&["true"]), program.run(&["false"]));
        let expected = if vm == Vm::Lua51 { 1 } else { 0 }; // 5.1 takes numbers only
        assert_eq!(
            (yes.code, no.code),
            (Some(expected), Some(1)),
            "{vm:?}: {yes:#?}"
        );
    });
}

#[test]
fn a_signal_ends_it_as_it_ends_the_interpreter() {
    let program = Program::new("os.execute('kill -9 $PPID')");
    let mut command = luasnap(&program.folder());
    command
        .args(["run", "--lua"])
        .arg(Vm::Lua54.interpreter())
        .arg("script.lua");
    assert_eq!(command.status().unwrap().signal(), Some(9));
}

#[test]
fn the_temporary_file_is_gone() {
    let program = Program::new("print(io.popen('ls'):read('a'))").option("-q");
    let folder = tempfile::tempdir().unwrap();
    for vm in Vm::ALL {
        for interpreter in [vm.interpreter(), "no-such-lua".as_ref()] {
            let mut command = luasnap(&program.folder());
            command.env("TMPDIR", folder.path()).args(["run", "--lua"]);
            output(
                {
                    command.arg(interpreter).arg("script.lua");
                    command
                },
                "",
            );
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{vm:?}");
        }
    }
}

#[test]
fn an_interpreter_that_is_not_there_is_told() {
    for name in ["no-such-lua", "/no/such/lua"] {
        let ran = Program::new("").option("--lua").option(name).run(&[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(127), ""));
        let expected = format!("luasnap: there is no interpreter {name} ");
        assert!(ran.stderr.starts_with(&expected), "{ran:#?}");
    }
    let program = Program::new("");
    let file = program.folder().join("script.lua");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = program.interpreter(&file).run(&[]);
    assert_eq!(ran.code, Some(126));
    assert!(ran.stderr.contains("cannot be started: "), "{ran:#?}");
}

#[test]
fn an_interpreter_that_exports_nothing_is_told() {
    let ran = Program::new("")
        .interpreter(luasnap_hosts::silent())
        .run(&[]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .starts_with("luasnap: snapshot found no Lua C API"),
        "{ran:#?}"
    );
}

#[test]
fn a_module_that_is_not_there_is_told() {
    let program = Program::new("");
    let alone = program.folder().join("luasnap");
    // Copied by another process: otherwise a program that a parallel test starts could inherit our
    // handle and keep the file busy.
    let copied = std::process::Command::new("cp")
        .arg(crate::program::LUASNAP)
        .arg(&alone)
        .status();
    assert!(copied.unwrap().success());
    let run = |module: Option<&str>| {
        let mut command = std::process::Command::new(&alone);
        command
            .current_dir(program.folder())
            .env_remove("LUASNAP_MODULE");
        command.envs(module.map(|path| ("LUASNAP_MODULE", path)));
        command
            .args(["run", "--lua"])
            .arg(Vm::Lua54.interpreter())
            .arg("script.lua");
        output(command, "")
    };
    let ran = run(None);
    assert_eq!(ran.code, Some(125));
    assert!(
        ran.stderr
            .contains("cannot find the Lua module libsnapshot.so"),
        "{ran:#?}"
    );
    assert!(ran.stderr.contains("cargo build --release"), "{ran:#?}");
    let ran = run(Some("/no/such/module.so"));
    assert_eq!(ran.code, Some(125));
    assert!(
        ran.stderr
            .contains("LUASNAP_MODULE names /no/such/module.so"),
        "{ran:#?}"
    );
    assert_eq!(
        run(Some(crate::program::module().to_str().unwrap())).code,
        Some(0)
    );
}
