//! The module in a model of skynet: services capture themselves, several at once, while others work.

use crate::support::{directory, modules, read, tests};
use luasnap_hosts::skynet_models;
use std::fs;
use std::process::{Command, Stdio};

/// Runs `tests/skynet/service.lua` as the script of all services, until each has captured itself several times.
#[test]
fn services_capture_themselves_while_others_work() {
    for (model, program) in skynet_models() {
        let folder = directory();
        for name in ["service.lua", "config.lua"] {
            let source = read(&tests().join("skynet").join(name));
            fs::write(folder.path().join(name), source).expect("a file");
        }
        let mut command = Command::new(program);
        let cpath = format!("{}/?.so", modules().display());
        command
            .args(["--cpath", &cpath, "4"])
            .args(["agent", "service.lua", "12", "other", "service.lua", "4"])
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
