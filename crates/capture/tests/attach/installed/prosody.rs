//! Prosody, a chat server, with a module that runs the script.

use super::OPTIONS;
use crate::heaps::{SCRIPT, check_heap, only};
use crate::target::Target;
use luasnap_capture::process::attach;
use std::process::Command;

/// It listens on no port, and keeps its files in the folder that it runs in.
const START: &str = r#"
cat >prosody.cfg.lua <<END
run_as_root = true
data_path = "$PWD"
pidfile = "$PWD/prosody.pid"
log = { info = "$PWD/prosody.log" }
plugin_paths = { "$PWD" }
modules_enabled = { "posix", "script" }
modules_disabled = { "c2s", "s2s" }
VirtualHost "localhost"
END
cat >mod_script.lua <<END
module:set_global()
module:add_timer(0, function()
  prosody.unlock_globals()
  dofile "script.lua"
end)
END
exec prosody --no-daemonize --config prosody.cfg.lua"#;

#[test]
#[ignore = "needs prosody"]
fn what_a_script_holds() {
    let mut command = Command::new("sh");
    command.args(["-c", START]);
    let target = Target::start_command(command, SCRIPT);
    for _ in 0..5 {
        let (state, heap) = only(attach(target.id(), OPTIONS).unwrap());
        assert_eq!(state.vm.family(), "Lua 5.4");
        check_heap(heap);
    }
}
