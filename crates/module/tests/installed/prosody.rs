//! Prosody, a chat server: the script runs in one of its modules, once the server has started.

use crate::process::{Process, Ran};
use crate::program::{Program, directory, read, tests};
use std::fs;
use std::path::Path;
use std::process::Command;

/// It listens on no port. The data path is also the directory that it changes to.
const CONFIG: &str = r#"
run_as_root = true
data_path = "FOLDER"
pidfile = "FOLDER/prosody.pid"
log = { info = "FOLDER/prosody.log" }
plugin_paths = { "FOLDER" }
modules_enabled = { "posix", "snapshot_test" }
modules_disabled = { "c2s", "s2s" }
VirtualHost "localhost"
"#;

const MODULE: &str = r#"
module:set_global()
module:add_timer(0, function()
  io.stdout:write "--- started ---\n"
  prosody.unlock_globals()
  local ok = dofile "driver.lua"
  prosody.lock_globals()
  if ok == true then
    prosody.shutdown("The test is done", 0)
  else
    io.stderr:write(ok)
    os.exit(1)
  end
end)
"#;

const STARTED: &str = "--- started ---\n";

pub fn run(engine: &str, folder: &Path) -> Ran {
    let config = CONFIG.replace("FOLDER", folder.to_str().expect("a path in UTF-8"));
    fs::write(folder.join("prosody.cfg.lua"), config).expect("the configuration is written");
    fs::write(folder.join("mod_snapshot_test.lua"), MODULE).expect("the module is written");
    let mut command = Command::new("prosody");
    command
        .args(["--no-daemonize", "--config"])
        .arg(folder.join("prosody.cfg.lua"))
        .current_dir(folder);
    let mut ran = Process::start(command, "prosody", engine).wait();
    // Without the server's own output, about packages that it misses.
    if let Some((_, printed)) = ran.stdout.split_once(STARTED) {
        ran.stdout = printed.to_owned();
    }
    ran
}

#[test]
#[ignore = "needs prosody"]
fn what_its_modules_hold_is_found() {
    let source = read(&tests().join("installed/lua/prosody.lua"));
    let printed = Program::Prosody.run(directory().path(), &source);
    assert_eq!(printed, "");
}
