//! The recipes in `docs/recipes` for programs that load the module, as they stand there.

use crate::nginx::Server;
use crate::process::{Process, Ran};
use crate::program::{cpath, directory, read};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn recipes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipes")
}

/// Returns the blocks of a document in this language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let text = read(&recipes().join(document));
    let begin = format!("```{language}\n");
    let rest = text.split(&begin).skip(1);
    let blocks = rest.map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
    blocks.collect()
}

/// The module that `require` finds.
fn module() -> PathBuf {
    PathBuf::from(cpath().replace("?.so;;", "snapshot.so"))
}

#[test]
#[ignore = "needs nginx and libnginx-mod-http-lua"]
fn nginx_saves_and_answers() {
    let folder = directory();
    let root = folder.path().to_str().expect("a path in UTF-8");
    let conf = read(&recipes().join("nginx/luasnap.conf"));
    assert!(conf.contains("\"/var/tmp/nginx-"), "{conf}");
    let conf = conf.replace("/var/tmp/", &format!("{root}/"));
    let locations = folder.path().join("locations");
    fs::create_dir(&locations).expect("a folder");
    fs::write(locations.join("luasnap.conf"), conf).expect("the configuration is written");
    let server = Server::start(folder.path(), "kept = { 'kept' }", "");
    let (first, second) = (server.get("/luasnap"), server.get("/luasnap"));
    for answer in [&first, &second] {
        let (saved, report) = answer.split_once('\n').expect("a report");
        let file = saved.strip_prefix("saved ").expect("the name of a file");
        assert!(file.contains("/nginx-"), "{answer}");
        assert!(
            fs::read(file).expect(file).starts_with(b"\x89LUASNAP"),
            "{answer}"
        );
        assert!(report.contains("package.loaded"), "{answer}");
    }
    assert_ne!(first.lines().next(), second.lines().next());
    let log = server.log();
    assert!(!log.contains("[error]"), "{log}");
    assert!(server.stop().status.success());
}

/// Runs Neovim with a configuration of ours and these commands.
fn nvim(folder: &Path, commands: &[&str]) -> Ran {
    let mut command = Command::new("nvim");
    command.args(["--headless", "-i", "NONE", "-n"]);
    for words in commands {
        command.args(["-c", words]);
    }
    command.args(["-c", "qall!"]);
    command.current_dir(folder).env("HOME", folder);
    for name in ["CONFIG", "DATA", "STATE", "CACHE"] {
        command.env(format!("XDG_{name}_HOME"), folder);
    }
    Process::start(command, "neovim", "").wait()
}

#[test]
#[ignore = "needs neovim"]
fn neovim_has_a_command() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = folder.path().join("nvim");
    for name in ["plugin", "lua"] {
        fs::create_dir_all(config.join(name)).expect("a folder");
    }
    let plugin = recipes().join("neovim/luasnap.lua");
    fs::copy(plugin, config.join("plugin/luasnap.lua")).expect("a copy of the plugin");
    fs::copy(module(), config.join("lua/snapshot.so")).expect("a copy of the module");
    let ran = nvim(
        folder.path(),
        &[
            "lua kept = {}",
            "Luasnap",
            "write first.txt",
            "lua for i = 1, 10000 do kept[i] = { i } end",
            "Luasnap",
            "write second.txt",
            "lua assert(vim.bo.buftype == 'nofile' and not vim.bo.modifiable)",
            "Luasnap ~/saved.luasnap",
        ],
    );
    assert!(ran.status.success(), "{ran}");
    assert!(ran.stderr.contains("luasnap: saved "), "{ran}");
    let text = |name: &str| read(&folder.path().join(name));
    assert!(text("first.txt").contains("package.loaded"), "{ran}");
    let second = text("second.txt");
    assert!(
        second.starts_with("Since the last time: _G.kept grew by "),
        "{second}"
    );
    assert!(second.contains("_G.kept.[*]"), "{second}");
    let saved = fs::read(folder.path().join("saved.luasnap")).expect("a snapshot");
    assert!(saved.starts_with(b"\x89LUASNAP"));
}

#[test]
#[ignore = "needs lua-busted and lua-unit"]
fn tests_fail_with_what_the_recipe_shows() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let sessions = recipes().join("../../examples/testing/sessions.lua");
    fs::copy(sessions, folder.path().join("sessions.lua")).expect("a copy of the module");
    let scripts = blocks("testing.md", "lua");
    // Lines of the test and sizes differ.
    let shown = &blocks("testing.md", "text")[0];
    let (_, leak) = shown.split_once(": ").expect("a position");
    let leak: Vec<&str> = leak.lines().collect();
    for (program, name, script, package) in [
        ("busted", "leak_spec.lua", &scripts[0], "lua-busted"),
        ("lua5.4", "leak_test.lua", &scripts[1], "lua-unit"),
    ] {
        fs::write(folder.path().join(name), script).expect("a test is written");
        let mut command = Command::new(program);
        command.current_dir(folder.path()).arg(name);
        let ran = Process::start(command, package, "").wait();
        assert!(!ran.status.success(), "{ran}");
        for words in [leak[0], leak[2], leak[3]] {
            assert!(ran.stdout.contains(words), "{words}: {ran}");
        }
    }
}
