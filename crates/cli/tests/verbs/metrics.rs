//! `watch --metrics`: a file for a monitoring system.

use crate::exposition::{Exposition, Sample};
use crate::growing::Growing;
use crate::program::{LUASNAP, Ran, luasnap as program, output};
use crate::target::Target;
use luasnap_hosts::Vm;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

fn luasnap(folder: &Path, words: &[&str]) -> Ran {
    let mut command = program(folder);
    command.env_remove("LUASNAP_SERVICE").args(words);
    output(command, "")
}

/// A `luasnap watch` that runs, killed when dropped.
struct Watch {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watch {
    /// Starts it, and waits for its first step.
    fn start(folder: &Path, words: &[&str]) -> Watch {
        let mut command = program(folder);
        command.env_remove("LUASNAP_SERVICE");
        Watch::start_as(command, words)
    }

    fn start_as(mut command: Command, words: &[&str]) -> Watch {
        let mut child = command
            .arg("watch")
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut watch = Watch { child, lines };
        watch.step();
        watch
    }

    /// Waits for the next step.
    #[track_caller]
    fn step(&mut self) {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut said = String::new();
            let errors = self.child.stderr.as_mut().unwrap();
            errors.read_to_string(&mut said).unwrap();
            panic!("it has ended: {said}");
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Waits until it has ended. Returns its exit code and what it said on standard error.
    fn end(mut self) -> (Option<i32>, String) {
        self.lines.read_to_end(&mut Vec::new()).unwrap();
        let mut said = String::new();
        let errors = self.child.stderr.as_mut().unwrap();
        errors.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A script that waits in an interpreter, killed when dropped.
struct Waiting(Child);

impl Waiting {
    fn start(folder: &Path, vm: Vm, script: &str) -> Waiting {
        let source = format!("{script}\nprint 'ready'\nio.stdout:flush()\nio.read()\n");
        fs::write(folder.join("waiting.lua"), source).unwrap();
        let mut child = Command::new(vm.interpreter())
            .arg("waiting.lua")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{vm:?}");
        Waiting(child)
    }

    fn id(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn read(folder: &Path) -> Exposition {
    Exposition::read(&fs::read_to_string(folder.join("lua.prom")).unwrap())
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Asks about the one file in `shots`.
#[track_caller]
fn ask(folder: &Path, verb: &[&str]) -> Value {
    let file = names(&folder.join("shots")).pop_first().unwrap();
    let file = format!("shots/{file}");
    let ran = luasnap(folder, &[verb, &["--json", &file]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The keys with all that a label has to escape; the last one is too long for any label.
const HOSTILE: &str = r#"
    local kept = {}
    _G['quote" back\\slash'] = { kept }
    _G['line\nbreak'] = { {}, {} }
    _G['\255\254'] = { {}, {}, {} }
    _G['缓存'] = { {}, {}, {}, {} }
    _G[('long'):rep(3000)] = { {}, {}, {}, {}, {} }
    cache = {}
    for i = 1, 300 do cache['key' .. i] = { i } end
    for i = 1, 100 do local garbage = { i } end"#;

#[test]
fn its_figures_are_those_of_the_snapshot_in_every_lua() {
    for vm in Vm::ALL {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let target = Waiting::start(folder, vm, HOSTILE);
        let id = target.id();
        let words = ["--every", "1h", "--metrics", "lua.prom", "-o", "shots"];
        let many = ["--metrics-groups", "200"];
        let watch = Watch::start(folder, &[&[id.as_str()], &words[..], &many].concat());
        let metrics = read(folder);

        let info = ask(folder, &["info"]);
        for (name, expected) in [
            ("lua_heap_bytes", &info["objects"]["bytes"]),
            ("lua_heap_objects", &info["objects"]["count"]),
            ("lua_heap_garbage_bytes", &info["garbage"]["bytes"]),
            ("lua_vm_bytes", &info["total"]),
            ("process_resident_bytes", &info["ledger"]["resident"]),
        ] {
            assert_eq!(
                Some(metrics.value(name)),
                expected.as_f64(),
                "{vm:?}: {name}"
            );
        }
        assert_eq!(metrics.value("lua_snapshot_exact"), 1.0, "{vm:?}");
        assert_eq!(metrics.value("lua_snapshot_interval_seconds"), 3600.0);
        let taken_at = info["taken_at_ms"].as_f64().unwrap() / 1000.0;
        assert_eq!(metrics.value("lua_snapshot_timestamp_seconds"), taken_at);
        assert!(metrics.value("lua_snapshot_pause_seconds") > 0.0);
        let groups = metrics.groups();
        assert_eq!(
            groups.values().sum::<f64>(),
            metrics.value("lua_heap_bytes")
        );

        // The groups are those of `top`, which leaves some out.
        let top = ask(folder, &["top", "--by", "size", "-n", "100000"]);
        let sizes: BTreeMap<&str, (f64, &str)> = top["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| {
                let size = group["size"].as_f64().unwrap();
                let name = group["name"].as_str().unwrap();
                (group["fingerprint"].as_str().unwrap(), (size, name))
            })
            .collect();
        let mut compared = 0;
        let mut longest = 0;
        for sample in metrics.of("lua_heap_group_bytes") {
            let name = &sample.labels["name"];
            longest = longest.max(name.chars().count());
            let Some((size, whole)) = sizes.get(sample.labels["fingerprint"].as_str()) else {
                continue;
            };
            assert_eq!(sample.value, *size, "{vm:?}: {name}");
            if whole.chars().count() <= 160 && !whole.contains('…') {
                assert_eq!(name, whole, "{vm:?}");
                compared += 1;
            }
        }
        assert!(compared > 15, "{vm:?}: {compared} of {}", sizes.len());
        assert!(longest <= 160, "{vm:?}");
        let is_there = |part: &str| {
            let is_it = |sample: &Sample| sample.labels["name"].contains(part);
            metrics.of("lua_heap_group_bytes").any(is_it)
        };
        for part in [
            r#"quote" back\slash"#,
            r"line\nbreak",
            r"\xFF\xFE",
            "缓存",
            "longlong",
        ] {
            assert!(is_there(part), "{vm:?}: no {part}: {groups:?}");
        }

        drop(target);
        let (code, _) = watch.end();
        assert_eq!(code, Some(0), "{vm:?}");
        assert!(!folder.join("lua.prom").exists(), "{vm:?}: it stays");
    }
}

#[test]
fn few_groups_are_listed_and_their_sum_is_the_heap() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script = "
        fixed, leak = {}, {}
        for i = 1, 2000 do fixed[i] = { i } end
        function grow() leak[#leak + 1] = { {} } end";
    let growing = Growing::start(folder, script);
    let id = growing.id();
    let words = [
        "--every",
        "20ms",
        "--metrics",
        "lua.prom",
        "--metrics-groups",
        "1",
    ];
    let mut watch = Watch::start(folder, &[&[id.as_str()], &words[..]].concat());
    let mut known = BTreeMap::new();
    for _ in 0..12 {
        let metrics = read(folder);
        let groups = metrics.groups();
        assert!((2..=3).contains(&groups.len()), "{groups:?}");
        assert_eq!(
            groups.values().sum::<f64>(),
            metrics.value("lua_heap_bytes")
        );
        for sample in metrics.of("lua_heap_group_bytes") {
            let fingerprint = sample.labels["fingerprint"].clone();
            let name = (sample.labels["name"].clone(), sample.labels["kind"].clone());
            let before = known.entry(fingerprint).or_insert_with(|| name.clone());
            assert_eq!(*before, name, "one fingerprint, one name");
        }
        watch.step();
    }
    let names: BTreeSet<_> = known.values().collect();
    assert_eq!(names.len(), known.len(), "{known:?}");
    let has = |name: &str| names.contains(&(name.to_owned(), "table".to_owned()));
    assert!(has("_G.fixed.[*]"), "{known:?}");
    assert_eq!(known["other"], ("other".to_owned(), "other".to_owned()));
    drop(watch);
    growing.finish();
}

#[test]
fn names_stay_on_the_host_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = Target::start(
        folder,
        "secrets = {} for i = 1, 99 do secrets[i] = {} end",
        &[],
    );
    let id = target.id();
    let words = [id.as_str(), "--every", "1h", "--metrics", "lua.prom"];
    let watch = Watch::start(folder, &words);
    let with_names = read(folder);
    drop(watch);
    let watch = Watch::start(folder, &[&words[..], &["--no-names"]].concat());
    let text = fs::read_to_string(folder.join("lua.prom")).unwrap();
    drop(watch);
    for told in ["secrets", "name=", "_G", ".lua"] {
        assert!(!text.contains(told), "{told}: {text}");
    }
    let without = Exposition::read(&text);
    assert_eq!(without.groups(), with_names.groups());
    let mut more = with_names.of("lua_heap_group_bytes");
    assert!(more.any(|sample| sample.labels["name"] == "_G.secrets.[*]"));
    target.finish();
}

#[test]
fn a_service_is_named_by_flag_or_environment_or_else_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = Target::start(folder, "", &[]);
    let id = target.id();
    let words = [id.as_str(), "--every", "1h", "--metrics", "lua.prom"];
    let by_flag = [&words[..], &["--service", "a \"game\""]].concat();
    for (words, environment, service) in [
        (&words[..], None, "luasnap"),
        (&words, Some("lobby"), "lobby"),
        (&by_flag, None, "a \"game\""),
        (&by_flag, Some("lobby"), "a \"game\""),
    ] {
        let mut command = program(folder);
        match environment {
            Some(service) => command.env("LUASNAP_SERVICE", service),
            None => command.env_remove("LUASNAP_SERVICE"),
        };
        let _watch = Watch::start_as(command, words);
        let metrics = read(folder);
        for sample in &metrics.0 {
            assert_eq!(sample.labels["service"], service, "{sample:?}");
            assert_eq!(sample.labels["pid"], id, "{sample:?}");
            assert!(sample.labels["state"].starts_with("0x"), "{sample:?}");
        }
        let info = metrics.of("lua_state_info").next().unwrap();
        let labels = ["program", "vm"].map(|label| info.labels[label].as_str());
        assert_eq!(labels, ["luasnap", "Lua 5.4"]);
    }
    target.finish();
}

#[test]
fn the_file_goes_with_the_watch_and_everybody_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = Target::start(folder, "", &[]);
    let id = target.id();
    let words = [id.as_str(), "--every", "20ms", "--metrics", "out/lua.prom"];
    fs::create_dir(folder.join("out")).unwrap();
    for signals in [
        &[Signal::SIGINT][..],
        &[Signal::SIGTERM],
        &[Signal::SIGINT; 2],
    ] {
        let mut command = Command::new("sh");
        command
            .current_dir(folder)
            .args(["-c", "umask 077; exec \"$0\" \"$@\"", LUASNAP]);
        let mut watch = Watch::start_as(command, &words);
        watch.step();
        let file = fs::metadata(folder.join("out/lua.prom")).unwrap();
        assert_eq!(file.mode() & 0o7777, 0o644);
        // None but this one, not even for a moment, has a name that a collector reads.
        for name in names(&folder.join("out")) {
            assert!(name == "lua.prom" || !name.ends_with(".prom"), "{name}");
        }
        for signal in signals {
            watch.signal(*signal);
        }
        let (code, said) = watch.end();
        // The first of two may have been enough.
        assert!(matches!(code, None | Some(0)), "{code:?}");
        assert_eq!(
            (said.as_str(), names(&folder.join("out"))),
            ("", BTreeSet::new())
        );
    }
    let timed = luasnap(
        folder,
        &[&["watch"], &words[..], &["--for", "50ms"]].concat(),
    );
    assert_eq!(timed.code, Some(0), "{timed:?}");
    assert!(names(&folder.join("out")).is_empty());
    target.finish();
}

#[test]
fn what_a_killed_watch_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = Target::start(folder, "", &[]);
    let id = target.id();
    let words = [id.as_str(), "--every", "1h", "--metrics", "lua.prom"];
    let killed = Watch::start(folder, &words);
    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.end().0, None);
    let left = read(folder).value("lua_snapshot_timestamp_seconds");
    let again = Watch::start(folder, &words);
    assert!(read(folder).value("lua_snapshot_timestamp_seconds") > left);
    again.signal(Signal::SIGTERM);
    assert_eq!(again.end().0, Some(0));
    assert!(!folder.join("lua.prom").exists());
    target.finish();
}

#[test]
fn a_file_of_somebody_else_is_neither_replaced_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = Target::start(folder, "", &[]);
    let id = target.id();
    fs::write(folder.join("own"), "precious").unwrap();
    symlink("own", folder.join("link")).unwrap();
    let refused = |path: &str| {
        let ran = luasnap(folder, &["watch", &id, "--every", "1h", "--metrics", path]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:?}");
        ran.stderr
    };
    for path in ["own", "link", "/dev/null", "."] {
        let said = refused(path);
        let expected = "' was not written by luasnap watch and is left alone: give --metrics a file of its own\n";
        assert!(said.ends_with(expected) || path == ".", "{said}");
    }
    let said = refused("no/where.prom");
    let expected = "luasnap: cannot write 'no/where.prom': No such file or directory\n";
    assert_eq!(said, expected);
    assert!(
        fs::symlink_metadata(folder.join("link"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(fs::read_to_string(folder.join("own")).unwrap(), "precious");

    // One that comes later, in the place of ours.
    let words = [id.as_str(), "--every", "20ms", "--metrics", "lua.prom"];
    let mut watch = Watch::start(folder, &words);
    fs::rename(folder.join("own"), folder.join("lua.prom")).unwrap();
    for _ in 0..4 {
        watch.step();
    }
    let is_there = fs::read_to_string(folder.join("lua.prom")).unwrap();
    if is_there == "precious" {
        watch.signal(Signal::SIGTERM);
        let (code, said) = watch.end();
        assert_eq!(code, Some(0));
        let expected = "luasnap: metrics are out of date until they can be written again: somebody else has written 'lua.prom' since; each luasnap watch needs a file of its own\n";
        assert_eq!(said, expected, "it is said once");
        let stays = fs::read_to_string(folder.join("lua.prom")).unwrap();
        assert_eq!(stays, "precious");
    }
    target.finish();
}

#[test]
fn a_file_that_cannot_be_written_is_said_once_and_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = Target::start(folder, "", &[]);
    let id = target.id();
    // No file may have more than 512 or 1024 bytes, as if the disk were full.
    let mut command = Command::new("sh");
    command
        .current_dir(folder)
        .args(["-c", "ulimit -f 1; exec \"$0\" \"$@\"", LUASNAP]);
    let words = [id.as_str(), "--every", "20ms", "--metrics", "lua.prom"];
    let mut watch = Watch::start_as(command, &words);
    for _ in 0..3 {
        watch.step();
    }
    assert_eq!(names(folder), BTreeSet::from(["target.lua".to_owned()]));
    watch.signal(Signal::SIGTERM);
    let (code, said) = watch.end();
    assert_eq!(code, Some(0), "{said}");
    let expected = "luasnap: metrics are out of date until they can be written again: cannot write 'lua.prom': File too large";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    target.finish();
}

#[test]
fn options_of_metrics_need_metrics_and_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [
        &["--no-names"][..],
        &["--metrics-groups", "5"],
        &["--metrics", "lua.prom", "--metrics-groups", "0"],
        &["--metrics", "lua.prom", "--metrics-groups", "201"],
        &["--metrics", ""],
    ] {
        let words = [&["watch", "1"], wrong].concat();
        let ran = luasnap(folder.path(), &words);
        assert_eq!(ran.code, Some(2), "{wrong:?}: {ran:?}");
    }
}
