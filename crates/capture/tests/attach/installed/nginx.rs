//! An nginx worker with the Lua module, while it answers requests.

use super::OPTIONS;
use crate::heaps::{global, only, reachable_string};
use crate::target::Target;
use luasnap_capture::process::{attach, lua_states};
use luasnap_heap::{Census, Reach, Snapshot, Through};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// It listens on a socket in the folder that has all its files.
const START: &str = r#"
cat >nginx.conf <<END
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
daemon off;
master_process off;
pid nginx.pid;
error_log error.log info;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  init_by_lua_file $PWD/script.lua;
  server {
    listen unix:$PWD/socket;
    location / {
      content_by_lua_block {
        local held = { "held by " .. "a request" }
        for i = 1, 2000 do held[i + 1] = { i, "item " .. i } end
        ngx.sleep(0.001)
        ngx.say(#held)
      }
    }
  }
}
END
echo ready
PATH=$PATH:/usr/sbin exec nginx -p "$PWD" -e error.log -c nginx.conf"#;

const SCRIPT: &str = "kept = {} for i = 1, 1000 do kept[i] = { number = i } end";

fn request(folder: &Path) -> Option<String> {
    let mut stream = UnixStream::connect(folder.join("socket")).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
#[ignore = "needs nginx and libnginx-mod-http-lua"]
fn what_it_holds_under_load() {
    let mut command = Command::new("sh");
    command.args(["-c", START]);
    let target = Target::start_command(command, SCRIPT);
    let (is_over, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    if let Some(answer) = request(target.folder()) {
                        assert!(answer.ends_with("2001\n"), "{answer}");
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let looked = thread::scope(|scope| scope.spawn(|| look(&target, &answered)).join());
        is_over.store(true, Ordering::Relaxed);
        assert!(looked.is_ok());
    });
}

fn look(target: &Target, answered: &AtomicU32) {
    for _ in 0..2000 {
        if answered.load(Ordering::Relaxed) >= 50 {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    // It shows no title: what it runs names it, else what its libraries have.
    let states = lua_states(target.id()).unwrap();
    assert!(states[0].name.is_some(), "{states:?}");
    let mut with_request = 0;
    for _ in 0..10 {
        let (state, heap) = only(attach(target.id(), OPTIONS).unwrap());
        assert_eq!(state.vm.family(), "LuaJIT");
        assert_eq!(heap.count(global(&heap, "kept")), 1000);
        let reach = Reach::new(&heap, Through::Everything).unwrap();
        with_request += u32::from(reachable_string(&heap, &reach, "held by a request").is_some());
        let census = Census::new(&Snapshot::new(heap)).unwrap();
        assert_eq!(census.unaccounted, Some(0));
    }
    assert!(with_request > 0);
}
