//! nginx with its Lua module: a worker that answers requests.

use crate::process::{LIMIT, Process, Ran};
use crate::program::{cpath, directory, read, tests};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// It listens on a socket in the folder that has all its files. Tests may add locations.
const CONFIG: &str = r#"
load_module MODULES/ndk_http_module.so;
load_module MODULES/ngx_http_lua_module.so;
daemon off;
master_process on;
worker_processes 1;
env LUASNAP_ENGINE;
USER
pid nginx.pid;
error_log error.log info;
working_directory FOLDER;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  lua_http10_buffering off;
  lua_package_cpath "CPATH";
  lua_package_path "FOLDER/?.lua;;";
  init_by_lua_block { INIT }
  server {
    listen unix:FOLDER/socket;
    location = /script {
      content_by_lua_block {
        -- No dofile: what runs in a C function cannot resume coroutines here.
        local ok = assert(loadfile "driver.lua")()
        if ok ~= true then ngx.status = 500 end
        ngx.print(ok == true and "" or ok)
      }
    }
    include FOLDER/locations/*.conf;
    location = /hold { content_by_lua_block { require("requests").hold() } }
    location = /look { content_by_lua_block { require("requests").look() } }
  }
}
"#;

/// A running nginx.
pub struct Server {
    process: Process,
    folder: PathBuf,
}

impl Server {
    /// Starts it in a folder; `init` runs before the master starts its worker.
    pub fn start(folder: &Path, init: &str, engine: &str) -> Server {
        const MODULES: &str = "/usr/lib/nginx/modules";
        let config = CONFIG
            .replace("FOLDER", folder.to_str().expect("a path in UTF-8"))
            .replace("INIT", init)
            .replace("CPATH", &cpath())
            .replace("MODULES", MODULES)
            .replace("USER", if is_root(folder) { "user root;" } else { "" });
        fs::write(folder.join("nginx.conf"), config).expect("the configuration is written");
        let process = Process::start(command(folder), "nginx", engine);
        assert!(
            Path::new(MODULES).join("ngx_http_lua_module.so").exists(),
            "nginx has no Lua; Debian's package is libnginx-mod-http-lua"
        );
        let mut server = Server {
            process,
            folder: folder.into(),
        };
        let deadline = Instant::now() + LIMIT;
        while let Err(error) = server.connect() {
            let gone = !server.process.is_running();
            if gone || Instant::now() > deadline {
                panic!("nginx: {error}\n{}", server.process.end());
            }
            thread::sleep(Duration::from_millis(5));
        }
        server
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(self.folder.join("socket"))?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(stream)
    }

    fn send(&self, path: &str) -> UnixStream {
        let mut stream = self.connect().expect("a connection");
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        stream
    }

    /// Returns the body of a response, which must be a success.
    #[track_caller]
    pub fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        let mut stream = self.send(path);
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.starts_with("HTTP/1.1 200 OK"),
            "{answer}{}",
            self.log()
        );
        body.to_owned()
    }

    pub fn log(&self) -> String {
        read(&self.folder.join("error.log"))
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> Ran {
        self.ask_to_end();
        assert!(!self.process.is_running(), "nginx does not stop");
        self.process.end()
    }

    fn ask_to_end(&mut self) {
        let mut command = command(&self.folder);
        let _ = command.args(["-s", "stop"]).output();
        let deadline = Instant::now() + LIMIT;
        while self.process.is_running() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    /// A killed master would leave its worker behind.
    fn drop(&mut self) {
        if self.process.is_running() {
            self.ask_to_end();
        }
    }
}

fn command(folder: &Path) -> Command {
    // Users other than root may not have its folder in their path.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    let mut command = Command::new("nginx");
    command.env("PATH", path).arg("-p").arg(folder);
    command.args(["-e", "error.log", "-c"]);
    command.arg(folder.join("nginx.conf"));
    command
}

/// By default workers become `nobody`, who could not read the folder.
fn is_root(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    folder.metadata().expect("the folder's owner").uid() == 0
}

/// Runs `driver.lua` in a request, which responds with what went wrong.
pub fn run(engine: &str, folder: &Path) -> Ran {
    let server = Server::start(folder, "", engine);
    assert_eq!(server.get("/script"), "", "{}", server.log());
    server.stop()
}

#[test]
#[ignore = "needs nginx and libnginx-mod-http-lua"]
fn what_a_request_holds_is_found_by_another() {
    let folder = directory();
    let requests = tests().join("installed/lua/requests.lua");
    fs::copy(requests, folder.path().join("requests.lua")).expect("a copy of requests.lua");
    let server = Server::start(folder.path(), r#"require "snapshot""#, "");

    // One request that goes on, and two that look for what it holds.
    let mut holding = server.send("/hold");
    let mut said = String::new();
    let mut answer = BufReader::new(&mut holding);
    while !said.ends_with("ready\n") {
        let more = answer.read_line(&mut said).expect("an answer");
        assert!(more > 0, "{said}{}", server.log());
    }
    for _ in 0..2 {
        assert_eq!(server.get("/look"), "found\n", "{}", server.log());
    }
    drop(holding);
    let ran = server.stop();
    assert!(ran.status.success(), "{ran}");
}
