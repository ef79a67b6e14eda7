//! The module in a model of skynet: services capture themselves, several at once, while others work; and the recipe for it.

use crate::support::{directory, modules, read, tests};
use luasnap_hosts::skynet_models;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs services in a folder, in so many threads, until one of them has made the file `done`; in each model.
#[track_caller]
fn run(files: &[&Path], words: &[&str]) {
    for (model, program) in skynet_models() {
        let folder = directory();
        for file in files {
            let name = file.file_name().expect("a name");
            fs::write(folder.path().join(name), read(file)).expect("a file");
        }
        let mut command = Command::new(program);
        let cpath = format!("{}/?.so", modules().display());
        command
            .args(["--cpath", &cpath])
            .args(words)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the model runs");
        let done = folder.path().join("done");
        // A service that fails ends all of them.
        while child.try_wait().expect("a child").is_none() && !done.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let output = child.wait_with_output().expect("a child");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && done.exists(), "{model}: {said}");
        assert_eq!(said, "", "{model}");
    }
}

/// Runs `tests/skynet/service.lua` as the script of all services, until each has captured itself several times.
#[test]
fn services_capture_themselves_while_others_work() {
    let files = ["service.lua", "config.lua"].map(|name| tests().join("skynet").join(name));
    let words = [
        "4",
        "agent",
        "service.lua",
        "12",
        "other",
        "service.lua",
        "4",
    ];
    run(&[&files[0], &files[1]], &words);
}

/// The command for the debug console and the service of `docs/recipes/skynet`, as they stand there.
#[test]
fn the_recipe_saves_what_services_hold() {
    let recipes = tests().join("../../../docs/recipes/skynet");
    let files = [
        tests().join("skynet/recipe.lua"),
        recipes.join("take.lua"),
        recipes.join("snapshotd.lua"),
    ];
    let files = files.each_ref().map(|file| file.as_path());
    run(&files, &["0", "agent", "recipe.lua", "1"]);
}
