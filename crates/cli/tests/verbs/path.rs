//! `luasnap path`.

use crate::files::{answer, json};
use crate::masked::masked;
use crate::program::golden::assert_golden;

#[test]
fn it_says_who_holds_an_object() {
    let text = answer(&["path", "1.luasnap", "town.people.person5"]);
    assert_golden("path_object", &masked(&text));
}

#[test]
fn it_says_who_holds_a_group() {
    let text = answer(&["path", "1.luasnap", "class House"]);
    assert_golden("path_group", &masked(&text));
}

#[test]
fn an_object_goes_by_many_names() {
    let by_path = json(&["path", "1.luasnap", "_G.town.people.person5"]);
    let what = by_path["what"].as_str().unwrap();
    let (table, _) = what.split_once(' ').unwrap();
    let address = table.strip_prefix("table:").unwrap();
    let blank = format!("table: {address}");
    for name in [
        address,
        table,
        &blank,
        "town.people.person5",
        "_G.town.bells.[5].person",
    ] {
        assert_eq!(json(&["path", "1.luasnap", name]), by_path, "{name}");
    }
    let top = json(&["top", "1.luasnap", "-n", "1000"]);
    let groups = top["groups"].as_array().unwrap();
    for name in ["class House", "_G.town.houses.[*].rooms", "shared strings"] {
        let group = groups.iter().find(|group| group["name"] == name).unwrap();
        let fingerprint = group["fingerprint"].as_str().unwrap();
        let by_name = json(&["path", "1.luasnap", name]);
        assert_eq!(by_name, json(&["path", "1.luasnap", fingerprint]));
        for field in ["count", "size", "retained"] {
            assert_eq!(by_name[field], group[field], "{name}: {field}");
        }
    }
}

#[test]
fn programs_get_all_of_it() {
    let held = json(&["path", "1.luasnap", "town.people.person5"]);
    assert!(
        held["what"]
            .as_str()
            .unwrap()
            .ends_with(" (class _G.Person)")
    );
    assert_eq!(
        (&held["count"], &held["retained_count"]),
        (&1.into(), &1.into())
    );
    assert_eq!(held["size"], held["retained"]);
    assert_eq!(held["path"], "_G.town.people.person5");
    assert_eq!(held["retainer_count"], 2);
    let retainers = held["retainers"].as_array().unwrap();
    let field = |name: &str| {
        retainers
            .iter()
            .map(|retainer| retainer[name].clone())
            .collect::<Vec<_>>()
    };
    // The function, not its variable.
    assert_eq!(field("retainer"), ["_G.town.people", "_G.town.bells.[5]"]);
    assert_eq!(retainers[1]["what"], "function town.lua:18");
    assert_eq!(held["object"]["class"], "_G.Person");
    assert_eq!(held["object"]["entries"], 2);
    assert_eq!(
        held["object"]["words"],
        "table of class _G.Person with 2 entries"
    );
    assert_eq!(
        field("path"),
        ["_G.town.people.person5", "_G.town.bells.[5].person"]
    );
    assert_eq!(field("references"), [1, 1]);
    let keepers = held["keepers"].as_array().unwrap();
    assert_eq!(keepers.len(), 1);
    assert_eq!(keepers[0]["path"], "_G.town");
    assert!(keepers[0]["retained"].as_u64() > held["retained"].as_u64());
    assert_eq!(
        held["paths"],
        serde_json::json!(["_G.town.people.person5", "_G.town.bells.[5].person"])
    );
}

#[test]
fn so_much_is_listed_as_asked() {
    let held = json(&["path", "1.luasnap", "class _G.Person", "--retainers", "3"]);
    assert_eq!(held["retainers"].as_array().unwrap().len(), 3);
    assert_eq!(
        held["retainer_count"], 102,
        "mayor is a global; people, and 100 bells: {held}"
    );
    let held = json(&["path", "1.luasnap", "mayor", "--paths", "1"]);
    assert_eq!(held["paths"].as_array().unwrap().len(), 1);
}
