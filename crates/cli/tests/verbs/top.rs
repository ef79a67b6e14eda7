//! `luasnap top`.

use crate::files::{answer, in_town, json};
use crate::masked::{masked, of_the_script, without_numbers};
use crate::program::golden::assert_golden;
use crate::program::{Program, luasnap, output};
use serde_json::Value;

#[test]
fn it_says_what_holds_the_memory() {
    let (verdict, rest) = in_two(&["top", "1.luasnap"]);
    let (head, rows) = rest.split_once("\n\n").unwrap();
    assert_eq!(
        without_numbers(&masked(&format!("{head}\n"))),
        "#luasnap: # KiB in # objects; # of # groups\n\
         process ...\n\
         Lua VM # KiB: # KiB in use, # KiB its own\n\
         outside ...\n"
    );
    let rows = of_the_script(&masked(rows));
    let first: String = rows.split_inclusive('\n').take(7).collect();
    let verdict = of_the_script(&masked(&verdict));
    assert_golden("top", &format!("{verdict}\n{first}"));
}

#[test]
fn it_says_it_by_class() {
    let (_, rows) = in_two(&["top", "1.luasnap", "--by", "class"]);
    assert_golden("top_by_class", &of_the_script(&masked(&rows)));
}

/// Returns the head of an answer, and what follows the first empty line.
fn in_two(words: &[&str]) -> (String, String) {
    let text = answer(words);
    let (head, rows) = text.split_once("\n\n").unwrap();
    (head.to_owned(), rows.to_owned())
}

/// Returns one number of each group of an answer.
fn column(answer: &Value, name: &str) -> Vec<u64> {
    let groups = answer["groups"].as_array().unwrap();
    groups
        .iter()
        .map(|group| group[name].as_u64().unwrap())
        .collect()
}

#[test]
fn the_order_is_as_asked() {
    for (by, name) in [
        ("retained", "retained"),
        ("size", "size"),
        ("count", "count"),
    ] {
        let numbers = column(&json(&["top", "1.luasnap", "--by", by]), name);
        assert_eq!(numbers.len(), 20);
        assert!(numbers.is_sorted_by(|a, b| a >= b), "{by}: {numbers:?}");
    }
}

#[test]
fn programs_get_all_of_it() {
    let top = json(&["top", "1.luasnap", "-n", "100000"]);
    let info = json(&["info", "1.luasnap"]);
    assert_eq!(top["file"], "1.luasnap");
    assert_eq!(
        (&top["size"], &top["count"]),
        (&info["objects"]["bytes"], &info["objects"]["count"])
    );
    let groups = top["groups"].as_array().unwrap();
    // All groups but the registry and the globals.
    assert_eq!(
        groups.len() as u64 + 2,
        top["group_count"].as_u64().unwrap()
    );
    let person = groups
        .iter()
        .find(|group| group["name"] == "class _G.Person")
        .unwrap();
    assert_eq!(
        (&person["type"], &person["count"]),
        (&"table".into(), &100.into())
    );
    // What they reference has other retainers too, so they retain only themselves.
    assert_eq!(person["size"], person["retained"]);
    assert_eq!(person["example"], "_G.mayor");
    let fingerprint = person["fingerprint"].as_str().unwrap();
    assert!(fingerprint.len() == 12 && fingerprint.chars().all(|c| c.is_ascii_hexdigit()));
    let share = person["share"].as_f64().unwrap();
    let expected = person["retained"].as_f64().unwrap() / top["size"].as_f64().unwrap();
    assert!((share - expected).abs() < 1e-12);
    let houses = groups
        .iter()
        .find(|group| group["name"] == "class House")
        .unwrap();
    assert!(
        houses["retained"].as_u64() > houses["size"].as_u64(),
        "rooms are theirs: {houses}"
    );
}

#[test]
fn so_many_rows_are_listed() {
    let top = json(&["top", "1.luasnap", "-n", "3"]);
    assert_eq!(top["groups"].as_array().unwrap().len(), 3);
    let nothing = answer(&["top", "1.luasnap", "-n", "0"]);
    assert!(nothing.contains("; 0 of "), "{nothing}");
}

#[test]
fn it_says_whose_it_is() {
    let (head, rows) = in_two(&["top", "1.luasnap", "--by", "owner"]);
    let first = head.lines().next().unwrap();
    assert_eq!(
        without_numbers(first),
        "#luasnap: # KiB in # objects; # of # owners"
    );
    // The others are as large as luasnap's own script.
    let is_the_towns = |line: &&str| {
        let is_row = line.contains(" code ") && line.contains("town.lua");
        is_row || line.contains("for example")
    };
    let rows: Vec<&str> = rows.lines().filter(is_the_towns).collect();
    assert_golden("top_by_owner", &without_numbers(&rows.join("\n")));
}

#[test]
fn owners_add_up_to_all_objects() {
    let top = json(&["top", "1.luasnap", "--by", "owner", "-n", "1000"]);
    let owners = top["owners"].as_array().unwrap();
    assert_eq!(top["owner_count"], owners.len());
    for name in ["size", "count"] {
        let all = owners.iter().map(|owner| owner[name].as_u64().unwrap());
        assert_eq!(top[name], all.sum::<u64>());
    }
    let named = |kind: &str, name: &str| {
        let mut owners = owners.iter();
        owners.find(|owner| owner["kind"] == kind && owner["name"] == name)
    };
    let town = named("code", "town.lua").unwrap();
    assert_eq!(town["files"], 1);
    assert_eq!(town["example"], "_G.town");
    assert!(town["share"].as_f64().unwrap() > 0.3, "{town}");
    for (kind, name) in [("lua", "Lua"), ("shared", "shared")] {
        assert_eq!(named(kind, name).unwrap()["files"], 0);
    }
}

#[test]
fn a_file_without_a_verb_is_for_top() {
    let of_top = answer(&["top", "1.luasnap"]);
    assert_eq!(answer(&["1.luasnap"]), of_top);
    let rows = answer(&["1.luasnap", "-n", "2", "--by", "count"]);
    assert_eq!(
        rows,
        answer(&["top", "1.luasnap", "-n", "2", "--by", "count"])
    );
}

#[test]
fn it_says_who_shares() {
    let script = r#"
        local function plugin(name)
            return load("local list = { ... } return function() return list end", "@./plugins/" .. name .. "/init.lua")
        end
        local all = {}
        for k, sharers in ipairs { { "a", "b" }, { "a", "b", "c", "d" }, { "b", "c" } } do
            local text = {}
            for i = 1, 4000 - 1000 * k do text[i] = { i } end
            for _, name in ipairs(sharers) do all[#all + 1] = plugin(name)(text) end
        end
        kept = all
    "#;
    let program = Program::new(script)
        .option("--save")
        .option("shared.luasnap");
    let program = program.option("--quiet");
    assert_eq!(program.run(&[]).code, Some(0));
    let top = |option: &[&str]| {
        let mut command = luasnap(&program.folder());
        command.args(["top", "shared.luasnap", "--by", "owner"]);
        command.args(option);
        output(command, "").stdout
    };
    let text = top(&[]);
    let lines = text.lines().filter(|line| line.contains(" by "));
    let lines: Vec<String> = lines.map(|line| without_numbers(line.trim())).collect();
    let expected = [
        "# KiB by plugins/a and plugins/b",
        "# KiB by more than # owners",
        "# KiB by plugins/b and plugins/c",
    ];
    assert_eq!(lines, expected, "{text}");
    let answer: Value = serde_json::from_str(&top(&["--json"])).unwrap();
    let mut owners = answer["owners"].as_array().unwrap().iter();
    let shared = owners.find(|owner| owner["kind"] == "shared").unwrap();
    let first = &shared["sharers"][0];
    assert_eq!(
        first["owners"],
        serde_json::json!(["plugins/a", "plugins/b"])
    );
    assert_eq!(first["words"], "by plugins/a and plugins/b");
    assert_eq!(first["count"], 3001);
    assert!(first["size"].as_u64() < shared["size"].as_u64());
    assert!(first["share"].as_f64() < shared["share"].as_f64());
    assert_eq!(shared["sharers"][1]["owners"], serde_json::json!([]));
    assert!(owners.all(|owner| owner.get("sharers").is_none()));
}

/// People are spoken to in the language of their locale, programs in English.
#[test]
fn the_verdict_is_in_the_reader_s_language() {
    let first = |words: &[&str], locale: &[(&str, &str)]| {
        let mut command = in_town(words);
        for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            command.env_remove(name);
        }
        command.envs(locale.iter().copied());
        let said = output(command, "");
        assert_eq!(said.code, Some(0), "{said:?}");
        said.stdout
    };
    let english = "One table, _G.town, retains 46.9 KiB, ";
    let chinese = "一个表 _G.town 保留 46.9 KiB，占全部的 ";
    let top = ["top", "1.luasnap"];
    let zh = [("LANG", "zh_CN.UTF-8")];
    assert!(first(&top, &[]).starts_with(english));
    assert!(first(&top, &zh).starts_with(chinese));
    assert!(first(&top, &[("LC_ALL", "C"), zh[0]]).starts_with(english));
    let chosen = |lang: &str| first(&["top", "1.luasnap", "--lang", lang], &zh);
    assert!(chosen("en").starts_with(english));
    assert!(chosen("zh").starts_with(chinese));
    let json = first(&["top", "1.luasnap", "--json", "--lang", "zh"], &zh);
    assert!(json.contains(english.trim_end()), "{json}");
}
