//! The page of `luasnap report` in a browser: it shows the answers' numbers, can be used, and does nothing else.
//!
//! Ignored by default, since it needs Chromium, node, npm and a network: `cargo test -- --ignored`. `CHROMIUM` names
//! another browser than `chromium`. The screenshots are left in the folder that the test prints.

mod program;

use luasnap_format::{
    FileOptions, Page, PageOptions, PageSnapshot, Top, byte_size, grouped, top, write_file,
};
use luasnap_heap::{GroupOrder, Snapshot};
use program::{HOSTILE, portable, server};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the packages are installed from, and the script that uses them.
const FILES: [(&str, &str); 4] = [
    ("package.json", include_str!("package.json")),
    ("package-lock.json", include_str!("package-lock.json")),
    (".npmrc", include_str!(".npmrc")),
    ("look.mjs", include_str!("look.mjs")),
];
/// The file that records the lock by which the packages were installed.
const INSTALLED: &str = "installed-by.json";

/// Returns the folder of the script, with the packages that it needs.
fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in FILES {
        fs::write(folder.join(name), text).unwrap();
    }
    let (_, lock) = FILES[1];
    let stamp = folder.join(INSTALLED);
    if fs::read_to_string(&stamp).ok().as_deref() != Some(lock) {
        output(Command::new("npm").arg("ci").current_dir(&folder));
        fs::write(&stamp, lock).unwrap();
    }
    folder
}

fn output(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}: the page is tested with node, npm and Chromium")
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    output
}

fn write(folder: &Path, name: &str, snapshots: &[&Snapshot]) {
    let about: Vec<PageSnapshot<'_>> = snapshots
        .iter()
        .map(|snapshot| PageSnapshot {
            snapshot,
            name: Some("hour.luasnap"),
            file_bytes: Some(1000),
        })
        .collect();
    let options = PageOptions {
        command: Some("luasnap report hour.luasnap -o leak.html".to_owned()),
        ..PageOptions::default()
    };
    let page = Page::new(&about, &options).unwrap();
    write_file(&folder.join(name), FileOptions::default(), |out| {
        page.write(out)
    })
    .unwrap();
}

fn text(value: &Value) -> String {
    // Numbers and their units do not part at the end of a line.
    value.as_str().unwrap().replace('\u{a0}', " ")
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(text).collect()
}

/// Checks that the table has the rows of `top`.
fn check_rows(seen: &Value, top: &Top) {
    let rows = seen["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 12);
    for (row, group) in rows.iter().zip(&top.groups) {
        assert_eq!(text(&row["name"]), group.name.to_string());
        assert_eq!(text(&row["count"]), grouped(group.count));
        for (shown, bytes) in [
            (&row["size"], group.shallow),
            (&row["retained"], group.retained),
        ] {
            assert!(is_shown(&text(shown), bytes), "{row} is to show {bytes}");
        }
    }
}

/// Whether a text shows this many bytes, in any unit and with one decimal.
fn is_shown(text: &str, bytes: u64) -> bool {
    let (number, unit) = text.split_once(' ').unwrap();
    let number: f64 = number.replace(',', "").parse().unwrap();
    let unit = match unit {
        "B" => return number as u64 == bytes,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        unit => panic!("{unit}"),
    };
    (number - bytes as f64 / unit).abs() <= 0.0501
}

#[test]
#[ignore = "needs Chromium, node, npm and a network"]
fn the_page_works_in_a_browser() {
    let folder = installed();
    let snapshots = [server(400, 0), server(900, 30), server(1500, 60)];
    write(&folder, "growth.html", &snapshots.each_ref());
    write(&folder, "one.html", &[&snapshots[2]]);
    write(&folder, "plain.html", &[&portable()]);
    write(&folder, "large.html", &[&server(250_000, 0)]);
    let page = fs::read_to_string(folder.join("growth.html")).unwrap();
    let (before, data) = page.split_once("id=\"data\">").unwrap();
    let damaged = format!(
        "{before}id=\"data\">{}",
        data.replacen("AAA", "BBB", 1).replacen('e', "f", 9)
    );
    fs::write(folder.join("damaged.html"), damaged).unwrap();

    let browser = std::env::var("CHROMIUM").unwrap_or("chromium".to_owned());
    let browser = output(Command::new("sh").args(["-c", "command -v \"$0\"", &browser]));
    let browser = String::from_utf8(browser.stdout).unwrap();
    let mut look = Command::new("node");
    look.arg("look.mjs")
        .arg(browser.trim())
        .arg(&folder)
        .current_dir(&folder);
    let seen: Value = serde_json::from_slice(&output(&mut look).stdout).unwrap();
    println!("screenshots are in {}", folder.display());

    check_looks(&seen);
    let top = top(
        &snapshots[2],
        GroupOrder::Retained,
        PageOptions::default().rows,
    )
    .unwrap();
    check_rows(&seen, &top);
    check_use(&seen, &top);
}

fn check_looks(seen: &Value) {
    let looks = seen["looks"].as_object().unwrap();
    assert_eq!(looks.len(), 18);
    for (name, look) in looks {
        assert_eq!(look["problems"], json!([]), "{name}");
        assert_eq!(look["overflow"], json!([]), "{name}");
        assert_eq!(look["touching"], json!([]), "{name}");
        let language = if name.ends_with(" zh") { "zh-CN" } else { "en" };
        assert_eq!(look["language"], language, "{name}");
        // Otherwise one of them would not be looked for.
        let is_english = look["english"] != json!([]);
        assert_eq!(is_english, language == "en", "{name}: {}", look["english"]);
        let is_dark = name.ends_with(" dark");
        assert_eq!(look["background"] == "rgb(21, 24, 27)", is_dark, "{name}");
        let sections = texts(&look["sections"]);
        let expected: &[&str] = match name.starts_with("growth") {
            true => &[
                "memory", "growth", "findings", "tree", "groups", "waste", "taken",
            ],
            false => &["memory", "findings", "tree", "groups", "waste", "taken"],
        };
        assert_eq!(sections, expected, "{name}");
    }
    for (name, said) in [
        (
            "growth light",
            ["table with 7 entries", "suspended at jobs.lua:12"],
        ),
        ("growth zh", ["（表，7 个条目）", "挂起，位置 jobs.lua:12"]),
    ] {
        let details = texts(&looks[name]["details"]).concat();
        for said in said {
            assert!(details.contains(said), "{name}: {said}: {details}");
        }
    }
    let cards = texts(&looks["growth zh"]["cards"]).concat();
    assert!(cards.contains("C 代码（luaL_ref）"), "{cards}");
    let verdict = |name: &str| text(&looks[name]["verdict"]);
    assert!(
        verdict("growth light").starts_with("_G.server.sessions leaks "),
        "{looks:?}"
    );
    assert!(verdict("growth light").contains(" a minute and retains "));
    assert!(verdict("growth zh").starts_with("_G.server.sessions 每分钟泄漏 "));
    assert!(
        verdict("one light").starts_with("_G.server retains "),
        "{}",
        verdict("one light")
    );
}

fn check_use(seen: &Value, top: &Top) {
    assert_eq!(seen["problems"], json!([]));
    assert_eq!(seen["large"]["problems"], json!([]));
    assert_eq!(seen["large"]["shown"], 12);
    println!(
        "the page of 250,000 objects was painted after {} ms",
        seen["large"]["paint"]
    );
    // No element came of a name.
    assert_eq!(seen["hacked"], json!([null, 0, 4]));
    assert_eq!(text(&seen["title"]), "leak report · hour.luasnap");
    let card = text(&seen["cards"][0]).replace('\n', " ");
    assert!(
        card.ends_with("accumulates in _G.server.sessions"),
        "{card}"
    );
    let ledger = texts(&seen["ledger"]);
    let sums = [
        ("objects in use", top.ledger.in_use.unwrap_or(top.size)),
        ("= Lua VM", top.ledger.vm_total.unwrap()),
        ("= resident (RSS)", top.ledger.resident.unwrap()),
    ];
    for (name, bytes) in sums {
        let line = ledger.iter().find(|line| line.starts_with(name)).unwrap();
        let shown = line.rsplit('\n').next().unwrap();
        assert!(is_shown(shown, bytes), "{line} is to show {bytes}");
    }

    let tree = &seen["tree"];
    assert!(text(&tree["hovered"]).starts_with("_G"), "{tree}");
    assert!(
        texts(&tree["clicked"][0]).concat().ends_with("sessions"),
        "{tree}"
    );
    let sessions = top
        .groups
        .iter()
        .find(|group| group.name == "_G.server.sessions")
        .unwrap();
    let detail = text(&tree["clicked"][1]);
    assert!(
        detail.contains(&byte_size(sessions.retained)) && detail.contains("1 object"),
        "{detail}"
    );
    assert!(text(&tree["down"]).contains("1,500 objects"), "{tree}");
    assert!(
        texts(&tree["entered"]).concat().contains("sessions.*"),
        "{tree}"
    );
    assert_eq!(tree["left"], json!([]));
    assert_eq!(tree["coloured"], json!([true, "growth"]));
    assert!(text(&tree["step"]).starts_with("_G.server"), "{tree}");

    let table = &seen["table"];
    let filtered = texts(&table["filtered"]);
    assert!(
        !filtered.is_empty() && filtered.iter().all(|name| name.contains("inventory")),
        "{filtered:?}"
    );
    assert_eq!(table["all"], 12);
    assert!(texts(&table["strings"]).iter().all(|kind| kind == "string"));
    let numbers = |of: &Value| -> Vec<u64> {
        let texts = texts(of).into_iter();
        texts
            .map(|text| text.replace(',', "").parse().unwrap())
            .collect()
    };
    assert!(numbers(&table["byCount"]).is_sorted_by(|a, b| a >= b));
    assert!(numbers(&table["byCountUpwards"]).is_sorted());
    assert!(texts(&table["byName"]).is_sorted());
    assert!(text(&table["opened"]).contains(&top.groups[0].fingerprint));
    assert_eq!(table["closed"], 0);
    assert!(table["everything"].as_u64().unwrap() as usize >= top.groups.len());

    assert_eq!(
        seen["focused"],
        if seen["cards"].as_array().unwrap().len() > 1 {
            "finding-2"
        } else {
            ""
        }
    );
    assert!(text(&seen["chinese"][0]).contains("每分钟泄漏"));
    assert_eq!(
        (&seen["chinese"][1], &seen["chinese"][2]),
        (&table["everything"], &json!("zh-CN"))
    );
    assert!(text(&seen["english"]).contains(" leaks "));
    let without = text(&seen["withoutScript"]);
    assert!(
        without.contains("grows in every step")
            && without.contains("每一步都在增长")
            && without.contains("JavaScript"),
        "{without}"
    );
    assert!(text(&seen["damaged"]).starts_with("The data of this page cannot be read"));
    assert!(HOSTILE.iter().all(|name| !without.contains(name)));
}
