//! The queries of `fleet/`, on DuckDB and on Apache Spark, over the tables of a made fleet.

mod made;

use made::{HOSTS, RELEASED, TIMES};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

const LUASNAP: &str = env!("CARGO_BIN_EXE_luasnap");

/// The rows of each query, by its name.
type Answers = BTreeMap<&'static str, Vec<Value>>;

const QUERIES: [&str; 7] = [
    "growth_by_fingerprint",
    "new_since_release",
    "outlier_hosts",
    "share_by_owner",
    "objects_of_group",
    "largest_dominators",
    "leak_spread",
];

fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("fleet")
}

/// The tables of the fleet. One snapshot, the last of host 0, has its objects.
fn tables() -> &'static Path {
    static TABLES: LazyLock<PathBuf> = LazyLock::new(|| {
        let (folder, tables) = (scratch(), scratch().join("tables"));
        let _ = fs::remove_dir_all(&tables);
        fs::create_dir_all(&folder).unwrap();
        for (host, time) in (0..HOSTS).flat_map(|host| (0..TIMES).map(move |time| (host, time))) {
            let file = folder.join("one.luasnap");
            made::write(&file, host, time);
            let mut command = Command::new(LUASNAP);
            command.arg("export").arg(&file).arg("-o").arg(&tables);
            command.args(["--to", "parquet", "--service", made::service(host)]);
            command.args(["--host", &format!("h{host}")]);
            command.args(["--release", made::release(time)]);
            if (host, time) == (0, TIMES - 1) {
                command.arg("--objects");
            }
            run(&mut command);
        }
        tables
    });
    &TABLES
}

fn run(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A Python with the engines, which is kept from run to run. `None` if they cannot be had.
fn python(packages: &[&str]) -> Option<PathBuf> {
    static MADE: Mutex<()> = Mutex::new(());
    let _one = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = scratch().join("python");
    let python = folder.join("bin/python");
    let has = |python: &Path| {
        let mut command = Command::new(python);
        let imports: Vec<String> = packages
            .iter()
            .map(|name| format!("import {name}"))
            .collect();
        command
            .args(["-c", &imports.join("; ")])
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if has(&python) {
        return Some(python);
    }
    fs::create_dir_all(scratch()).unwrap();
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    }
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    let is_there = pip.args(packages).status().unwrap().success();
    is_there.then_some(python)
}

/// Asks an engine all questions.
fn ask(engine: &str, python: &Path) -> Answers {
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fleet");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/engines.py");
    let folder = scratch().join(engine);
    fs::create_dir_all(&folder).unwrap();
    let call = |queries: &[PathBuf]| -> Vec<Vec<Value>> {
        let mut command = Command::new(python);
        command.arg(&script).arg(engine).arg(tables()).args(queries);
        serde_json::from_str(&run(&mut command)).unwrap()
    };
    // What a user puts into the queries is found by others.
    let find = folder.join("find.sql");
    let sentence = "select g.fingerprint, g.stable_fingerprint, s.snapshot_id from groups g \
        join snapshot s on s.snapshot_id = g.snapshot_id \
        where g.name = '_G.cache.[*]' and s.host = 'h0' order by s.taken_at desc limit 1";
    fs::write(&find, sentence).unwrap();
    let found = &call(&[find])[0][0];
    let files = QUERIES.map(|name| {
        let mut text = fs::read_to_string(queries.join(format!("{name}.sql"))).unwrap();
        assert!(text.starts_with("-- "), "{name} has no comment");
        for (place, column) in [
            ("'SNAPSHOT'", "snapshot_id"),
            ("'FINGERPRINT'", "fingerprint"),
            ("'STABLE'", "stable_fingerprint"),
        ] {
            text = text.replace(place, &format!("'{}'", found[column].as_str().unwrap()));
        }
        let file = folder.join(format!("{name}.sql"));
        fs::write(&file, text).unwrap();
        file
    });
    QUERIES.into_iter().zip(call(&files)).collect()
}

/// The columns of rows, in this order.
fn columns(rows: &[Value], names: &[&str]) -> Vec<Value> {
    let row = |row: &Value| names.iter().map(|name| row[name].clone()).collect();
    rows.iter().map(row).collect()
}

fn check(answers: &Answers) {
    // By process: from its first snapshot to its last one there are 108 hours.
    let last = TIMES - 1;
    let game = 0..6;
    let logged: u64 = game
        .clone()
        .map(|host| 2 * (made::log(host, RELEASED - 1) - made::log(host, 0)))
        .sum();
    let cached: Vec<u64> = game
        .clone()
        .map(|host| made::cache(host, last) - made::cache(host, RELEASED))
        .filter(|grown| *grown > 0)
        .collect();
    let grown: u64 = cached.iter().sum();
    let rate = (grown * 200) as f64 / cached.len() as f64 / 108.0;
    assert_eq!(
        columns(
            &answers["growth_by_fingerprint"],
            &[
                "service",
                "name",
                "hosts",
                "grown_bytes",
                "grown_objects",
                "bytes_an_hour"
            ]
        ),
        [
            json!([
                "game",
                "_G.cache.[*]",
                5,
                grown * 200,
                grown,
                rate.round() as u64
            ]),
            json!(["game", "_G.log.[*]", 6, logged * 80, logged, 33]),
        ]
    );

    let now: u64 = game.clone().map(|host| made::cache(host, last)).sum();
    assert_eq!(
        columns(
            &answers["new_since_release"],
            &["service", "name", "hosts", "objects", "bytes"]
        ),
        [
            json!(["game", "_G.cache.[*]", 5, now, now * 200]),
            json!(["game", "_G.cache", 6, 6, 1800]),
            json!(["gate", "_G.cache", 4, 4, 1200]),
        ]
    );

    let outliers = columns(
        &answers["outlier_hosts"],
        &["service", "host", "name", "bytes", "middle_bytes", "times"],
    );
    assert!(
        outliers.contains(&json!([
            "gate",
            "h8",
            "_G.server.sessions.[*]",
            50_000,
            5000,
            10.0
        ])),
        "{outliers:#?}"
    );
    // Of the five caches, the middle one has 180 entries.
    assert!(
        !outliers.iter().any(|row| row[1] == "h3" || row[1] == "h5"),
        "{outliers:#?}"
    );

    let owners = &answers["share_by_owner"];
    for service in ["game", "gate"] {
        let of_service = || owners.iter().filter(|row| row["service"] == service);
        let percent: f64 = of_service()
            .map(|row| row["percent"].as_f64().unwrap())
            .sum();
        assert!((percent - 100.0).abs() < 0.5, "{owners:#?}");
        let chat = of_service()
            .find(|row| row["name"] == "plugins/chat")
            .unwrap();
        // The function and its history, on each host.
        let hosts = chat["hosts"].as_u64().unwrap();
        assert_eq!(chat["bytes"], 1040 * hosts, "{chat:#?}");
    }

    let objects = &answers["objects_of_group"];
    assert_eq!(objects.len(), 20);
    for (at, row) in objects.iter().enumerate() {
        assert_eq!(row["path"], format!("_G.cache.[{}]", at + 1));
        assert_eq!(
            (&row["retained_size"], &row["root_distance"]),
            (&json!(200), &json!(3))
        );
    }

    let dominators = &answers["largest_dominators"];
    assert_eq!(dominators.len(), 10);
    let cache = made::cache(0, last);
    assert_eq!(
        columns(
            &dominators[1..2],
            &[
                "host",
                "nth",
                "step",
                "retained_size",
                "retained_count",
                "children",
                "largest_child"
            ]
        ),
        [json!([
            "h0",
            2,
            "cache",
            300 + 200 * cache,
            1 + cache,
            cache,
            200
        ])]
    );

    let spread: Vec<Value> = (0..TIMES / 2)
        .map(|day| {
            let evening = 2 * day + 1;
            let caches = || game.clone().map(|host| made::cache(host, evening));
            let hosts = caches().filter(|count| *count > 0).count();
            let objects: u64 = caches().sum();
            let date = format!("2026-03-{:02}", day + 1);
            json!([date, hosts, HOSTS, objects, objects * 200])
        })
        .collect();
    assert_eq!(
        columns(
            &answers["leak_spread"],
            &["date", "hosts", "hosts_in_all", "objects", "bytes"]
        ),
        spread
    );
}

#[test]
#[ignore = "needs Python and a network"]
fn duckdb_answers() {
    let Some(python) = python(&["duckdb"]) else {
        panic!("DuckDB cannot be had");
    };
    check(&ask("duckdb", &python));
}

/// Where Java or pyspark cannot be had, it says so, and tries nothing.
#[test]
#[ignore = "needs Java, Python and a network"]
fn spark_answers() {
    let java = Command::new("java")
        .arg("-version")
        .stderr(Stdio::null())
        .status();
    let python = match java.is_ok_and(|status| status.success()) {
        true => python(&["pyspark"]),
        false => None,
    };
    match python {
        Some(python) => check(&ask("spark", &python)),
        None => eprintln!("SKIPPED: there is no Java, or pyspark cannot be had"),
    }
}

/// DuckDB's own program, as `luasnap sql` runs it.
#[test]
#[ignore = "needs Python and a network"]
fn luasnap_asks_duckdb() {
    let python = python(&["duckdb_cli"]).expect("DuckDB's program cannot be had");
    fs::create_dir_all(scratch()).unwrap();
    let file = scratch().join("asked one's.luasnap");
    made::write(&file, 1, TIMES - 1);
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", python.parent().unwrap().display());
    let ask = |words: &[&str]| -> Value {
        let mut command = Command::new(LUASNAP);
        command
            .arg("sql")
            .arg(&file)
            .args(words)
            .arg("--json")
            .env("PATH", &path);
        serde_json::from_str(&run(&mut command)).unwrap()
    };
    let cache = made::cache(1, TIMES - 1);
    assert_eq!(
        ask(&["select count, self_size from groups where name = '_G.cache.[*]'"]),
        json!([{ "count": cache, "self_size": 200 * cache }])
    );
    let label = "select labels['file'] as file, service from snapshot";
    assert_eq!(
        ask(&[label]),
        json!([{ "file": file.to_str().unwrap(), "service": "unknown" }])
    );
    let joined = "select count(*) as n from reference r join object o on o.id = r.owned_id and o.step = r.field_name";
    assert!(ask(&[joined])[0]["n"].as_u64().unwrap() >= 5);
}
