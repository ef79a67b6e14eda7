//! What is in `fleet/` for monitoring: a dashboard, alerts and a unit, all about what `watch --metrics` writes.

use crate::exposition::Exposition;
use crate::program::{Ran, luasnap, output};
use crate::target::Target;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What node_exporter writes itself, of what alerts ask for.
const OF_NODE_EXPORTER: [&str; 1] = ["node_memory_MemTotal_bytes"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns what a watch of a small program writes.
fn metrics() -> String {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::start(folder.path(), "kept = {} kept['\"a\\\n\\255'] = {}", &[]);
    let mut watch = luasnap(folder.path())
        .args([
            "watch",
            &target.id(),
            "--every",
            "1h",
            "--metrics",
            "a.prom",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    let text = fs::read_to_string(folder.path().join("a.prom"));
    target.finish();
    lines.read_line(&mut String::new()).unwrap();
    watch.kill().unwrap();
    watch.wait().unwrap();
    text.unwrap()
}

/// The names of metrics in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let is_metric = |word: &&str| {
        let starts = ["lua_", "process_", "node_"].iter();
        starts.clone().any(|start| word.starts_with(start))
    };
    words.filter(is_metric).map(str::to_owned).collect()
}

/// All values with a key, however deep.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            if name == key {
                found.push(value);
            }
            all(value, key, found);
        }),
        Value::Array(values) => values.iter().for_each(|value| all(value, key, found)),
        _ => {}
    }
}

fn dashboard() -> Value {
    serde_json::from_str(&read("fleet/grafana.json")).unwrap()
}

/// The queries of the dashboard, with its variables as Grafana replaces them.
fn queries(dashboard: &Value) -> Vec<String> {
    let mut found = Vec::new();
    all(dashboard, "expr", &mut found);
    let queries = found.into_iter().map(|query| {
        let query = query.as_str().unwrap().replace("$window", "1h");
        ["service", "instance", "pid"]
            .iter()
            .fold(query, |query, name| {
                query.replace(&format!("\"${name}\""), "\".*\"")
            })
    });
    let queries: Vec<String> = queries.collect();
    assert!(
        queries.iter().all(|query| !query.contains('$')),
        "{queries:#?}"
    );
    queries
}

#[test]
fn dashboard_and_alerts_ask_for_what_is_written() {
    let text = metrics();
    let written = Exposition::read(&text);
    let written = written.names();
    let dashboard = dashboard();
    let shown = named(&queries(&dashboard).join("\n"));
    assert!(shown.len() >= 8, "{shown:?}");
    let mut variables = Vec::new();
    all(&dashboard["templating"], "definition", &mut variables);
    let variables: String = variables
        .iter()
        .map(|value| value.as_str().unwrap())
        .collect();
    let mut asked = named(&read("fleet/alerts.yml"));
    asked.extend(named(&read("fleet/alerts.test.yml")));
    for name in shown.iter().chain(&named(&variables)).chain(&asked) {
        let is_known = written.contains(name.as_str()) || OF_NODE_EXPORTER.contains(&name.as_str());
        assert!(is_known, "nobody writes {name}");
    }
}

/// A panel that nobody can see, or two in one place, is a mistake of whoever edits the file.
#[test]
fn the_dashboard_s_panels_have_a_source_and_a_place() {
    let dashboard = dashboard();
    assert!(
        dashboard["schemaVersion"].as_u64().unwrap() >= 38,
        "Grafana 10"
    );
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), panels.len());
    let mut taken = BTreeSet::new();
    for panel in panels {
        let title = &panel["title"];
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{title}");
        for place in (at("x")..at("x") + at("w"))
            .flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(taken.insert(place), "{title} lies on another one");
        }
    }
    let mut sources = Vec::new();
    all(&dashboard["panels"], "datasource", &mut sources);
    assert!(
        sources
            .iter()
            .all(|source| source["uid"] == "${datasource}")
    );
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names = variables
        .iter()
        .map(|variable| variable["name"].as_str().unwrap());
    let expected = ["datasource", "service", "instance", "pid", "window"];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

/// Each metric has a row in the manual's table, and no other has one.
#[test]
fn the_manual_lists_the_metrics() {
    let text = metrics();
    let written = Exposition::read(&text);
    let written: BTreeSet<String> = written.names().into_iter().map(str::to_owned).collect();
    for manual in ["docs/manual.md", "docs/zh-CN/manual.md"] {
        let text = read(manual);
        let rows = text.lines().filter_map(|line| {
            let name = line.strip_prefix("| `")?.split(['`', '{']).next()?;
            named(name).pop_first()
        });
        assert_eq!(rows.collect::<BTreeSet<_>>(), written, "{manual}");
    }
}

fn promtool(folder: &Path, words: &[&str], stdin: &str) -> Ran {
    let mut command = Command::new("promtool");
    command.current_dir(folder).args(words);
    let is_there = Command::new("promtool").arg("--version").output();
    is_there.expect("promtool is not installed; Debian's package is prometheus");
    output(command, stdin)
}

#[test]
#[ignore = "needs promtool"]
fn promtool_reads_metrics_alerts_and_queries() {
    let fleet = root().join("fleet");
    let checked = promtool(&fleet, &["check", "metrics"], &metrics());
    let expected = (Some(0), "", "");
    assert_eq!(
        (
            checked.code,
            checked.stdout.as_str(),
            checked.stderr.as_str()
        ),
        expected
    );

    let checked = promtool(&fleet, &["check", "rules", "alerts.yml"], "");
    assert_eq!(checked.code, Some(0), "{checked:#?}");
    let tested = promtool(&fleet, &["test", "rules", "alerts.test.yml"], "");
    assert_eq!(tested.code, Some(0), "{tested:#?}");

    // JSON is YAML.
    let rules = queries(&dashboard()).into_iter().enumerate().map(
        |(number, query)| serde_json::json!({ "record": format!("query:{number}"), "expr": query }),
    );
    let rules: Vec<Value> = rules.collect();
    let count = rules.len();
    let groups = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("queries.yml"), groups.to_string()).unwrap();
    let checked = promtool(folder.path(), &["check", "rules", "queries.yml"], "");
    assert_eq!(checked.code, Some(0), "{checked:#?}");
    assert!(
        checked.stdout.contains(&format!("{count} rules found")),
        "{checked:#?}"
    );
}

#[test]
#[ignore = "needs systemd"]
fn the_unit_is_right_for_systemd() {
    let folder = tempfile::tempdir().unwrap();
    let unit = "luasnap-metrics@.service";
    fs::write(folder.path().join(unit), read(&format!("fleet/{unit}"))).unwrap();
    let mut command = Command::new("systemd-analyze");
    command
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.path().display()))
        .args(["verify", "--man=no", "luasnap-metrics@myapp.service"]);
    let ran = output(command, "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
}
