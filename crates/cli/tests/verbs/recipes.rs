//! The recipes in `docs/recipes` for the command line, as they stand there.

use crate::program::{LUASNAP, Ran, output};
use crate::target::Target;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

fn recipe(name: &str) -> String {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipes");
    let path = recipes.join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a script of bash that ends at the first command that fails, as GitHub does, with luasnap in its path.
fn bash(folder: &Path, script: &str) -> Ran {
    let programs = PathBuf::from(LUASNAP);
    let programs = programs.parent().unwrap().display();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command
        .current_dir(folder)
        .env("PATH", format!("{programs}:{path}"))
        .args(["-e", "-c", script]);
    output(command, "")
}

/// Returns the script of a step of the workflow.
fn step(name: &str) -> String {
    let workflow = recipe("github-actions/leaks.yml");
    let (_, step) = workflow
        .split_once(&format!("- name: {name}\n        run: |\n"))
        .expect(name);
    let lines = step
        .lines()
        .map_while(|line| line.strip_prefix("          "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_job_of_github_fails_on_growth() {
    let script = step("Memory does not grow");
    assert_eq!(script.lines().count(), 3, "{script}");
    let leak = "kept = {} for i = 1, tonumber(arg[1]) do kept[i] = { i } end";
    let none = "local last for i = 1, tonumber(arg[1]) do last = { i } end";
    for (load, code) in [(leak, 3), (none, 0)] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("spec")).unwrap();
        fs::write(folder.path().join("spec/load.lua"), load).unwrap();
        let ran = bash(folder.path(), &script);
        assert_eq!(ran.code, Some(code), "{ran:#?}");
        assert_eq!(
            ran.stdout.contains("_G.kept grew by "),
            code == 3,
            "{ran:#?}"
        );
        // For the artifact.
        for name in ["few.luasnap", "many.luasnap"] {
            assert!(folder.path().join(name).exists(), "{name}");
        }
    }
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs redis-server"]
fn redis_is_read_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let server = Command::new("redis-server")
        .args(["--port", "0", "--unixsocket", "socket", "--save", ""])
        .args(["--logfile", "log"])
        .current_dir(folder.path())
        .spawn()
        .expect("redis-server is not installed; Debian's package is redis-server");
    let server = Server(server);
    let connect = || UnixStream::connect(folder.path().join("socket")).is_ok();
    while !connect() {
        thread::sleep(Duration::from_millis(5));
    }
    let document = recipe("redis.md");
    let (_, script) = document.split_once("```sh\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    // Another server may be running.
    let pid = server.0.id().to_string();
    let attach = "sudo luasnap attach redis-server ";
    assert!(script.starts_with(attach), "{script}");
    let script = script.replace(attach, &format!("luasnap attach {pid} "));
    let ran = bash(folder.path(), &script);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    for file in ["redis-1.luasnap", "redis-2.luasnap"] {
        assert!(ran.stdout.contains(file), "{ran:#?}");
    }
    assert!(ran.stdout.contains("_G"), "{ran:#?}");
}

/// The units are right for systemd.
#[test]
#[ignore = "needs systemd"]
fn a_timer_of_systemd_watches_at_night() {
    let folder = tempfile::tempdir().unwrap();
    for unit in ["luasnap-watch@.service", "luasnap-watch@.timer"] {
        let text = recipe(&format!("systemd/{unit}"));
        fs::write(folder.path().join(unit), text).unwrap();
    }
    let mut command = Command::new("systemd-analyze");
    command
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()))
        .args(["verify", "--man=no", "luasnap-watch@myapp.timer"]);
    let ran = output(command, "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
}

/// What the service runs, in a moment instead of a night.
#[test]
fn the_service_watches_and_says_what_grew() {
    let unit = recipe("systemd/luasnap-watch@.service");
    let start = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/bin/sh -c '"));
    let script = start.and_then(|script| script.strip_suffix('\'')).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "kept = {}", &[]);
    let pid = "$(systemctl show --property MainPID --value %i)";
    assert!(script.contains(pid), "{script}");
    let script = script
        .replace(pid, &target.id())
        .replace("10m", "100ms")
        .replace("6h", "1s");
    let kept = folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    let script = format!("STATE_DIRECTORY={}; {script}", kept.display());
    let ran = bash(folder.path(), &script);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(kept.read_dir().unwrap().count() > 2, "{ran:#?}");
    target.finish();
}
