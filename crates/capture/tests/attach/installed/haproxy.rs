//! HAProxy with a Lua script: a task that works and sleeps.

use super::OPTIONS;
use crate::heaps::{field, reachable_string};
use crate::target::Target;
use luasnap_capture::process::attach;
use luasnap_heap::{Census, Reach, Snapshot, Through};
use std::process::Command;

const START: &str = r#"
cat >haproxy.cfg <<END
global
  lua-load $PWD/script.lua
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
frontend nobody
  bind unix@$PWD/socket
END
exec "$(command -v haproxy || echo /usr/sbin/haproxy)" -db -f haproxy.cfg"#;

const SCRIPT: &str = r#"
kept = {}
for i = 1, 1000 do kept[i] = { number = i } end
core.register_task(function()
  local held = { "held by " .. "a task" }
  local turn = 0
  while true do
    turn = turn + 1
    for i = 1, 1000 do held[2] = { i, "turn " .. turn } end
    if turn == 10 then io.stdout:write("ready\n") io.stdout:flush() end
    core.msleep(1)
  end
end)"#;

#[test]
#[ignore = "needs haproxy"]
fn what_a_task_holds() {
    let mut command = Command::new("sh");
    command.args(["-c", START]);
    let target = Target::start_command(command, SCRIPT);
    for _ in 0..5 {
        let attached = attach(target.id(), OPTIONS).unwrap();
        let mut found = 0;
        for (state, heap) in attached.captures {
            let heap = heap.unwrap_or_else(|error| panic!("{error}"));
            let globals = heap.globals().expect("globals");
            if let Some(kept) = field(&heap, globals, "kept") {
                assert_eq!(heap.count(kept), 1000);
                let reach = Reach::new(&heap, Through::Everything).unwrap();
                assert!(reachable_string(&heap, &reach, "held by a task").is_some());
                found += 1;
            }
            let census = Census::new(&Snapshot::new(heap)).unwrap();
            assert_eq!(census.unaccounted, Some(0), "{state:?}");
        }
        assert_eq!(found, 1);
    }
}
