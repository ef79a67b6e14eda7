//! The two forms of JSON.

use crate::fixture::{Disk, Fixture, is_full, keyed, list, sample, written};
use luasnap_format::{write_json, write_json_indented};
use luasnap_heap::{Kind, Label, Snapshot, Strength, increase};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::HashMap;

#[test]
fn the_sample_on_one_line() {
    let expected = concat!(
        r#"{"name":"table:0xb25900","type":5,"refs":1,"desc":"(size: 3)","link":"tbl","childs":["#,
        r#"{"name":"table:0xb259d0","type":5,"refs":1,"desc":"(size: 3)","link":"a","childs":[]},"#,
        r#"{"name":"table:0xb25a50","type":5,"refs":1,"desc":"(size: 2)","link":"d","childs":["#,
        r#"{"name":"table:0xb25ae0","type":5,"refs":1,"desc":"(size: 0)","link":"aa","#,
        r#""childs":[]}]}]}"#,
        "\n"
    );
    assert_eq!(written(write_json, &sample()), expected);
}

#[test]
fn the_sample_indented() {
    let expected = r#"{
  "name": "table:0xb25900",
  "type": 5,
  "refs": 1,
  "desc": "(size: 3)",
  "link": "tbl",
  "childs": [
    {
      "name": "table:0xb259d0",
      "type": 5,
      "refs": 1,
      "desc": "(size: 3)",
      "link": "a",
      "childs": []
    },
    {
      "name": "table:0xb25a50",
      "type": 5,
      "refs": 1,
      "desc": "(size: 2)",
      "link": "d",
      "childs": [
        {
          "name": "table:0xb25ae0",
          "type": 5,
          "refs": 1,
          "desc": "(size: 0)",
          "link": "aa",
          "childs": []
        }
      ]
    }
  ]
}
"#;
    assert_eq!(written(write_json_indented, &sample()), expected);
}

#[test]
fn indentation_ends_somewhere_and_what_is_in_it_does_not_change() {
    let snapshot = list(100);
    let indented = written(write_json_indented, &snapshot);
    let compact = written(write_json, &snapshot);
    let widest = indented
        .lines()
        .map(|line| line.len() - line.trim_start().len())
        .max();
    assert_eq!(widest, Some(4 * 64 + 2));
    let squeezed = indented.lines().map(str::trim_start).collect::<String>();
    assert_eq!(squeezed.replace("\": ", "\":"), compact.trim_end());
}

#[test]
fn nothing_is_null() {
    let nothing_new = increase(&sample(), &sample()).unwrap();
    for snapshot in [Snapshot::empty(), nothing_new] {
        assert_eq!(written(write_json, &snapshot), "null\n");
        assert_eq!(written(write_json_indented, &snapshot), "null\n");
    }
}

#[test]
fn types_have_the_numbers_of_the_c_api() {
    let mut fixture = Fixture::new("t", 0x10, 0);
    for (at, kind) in [
        Kind::LuaFunction,
        Kind::CFunction,
        Kind::Userdata,
        Kind::Thread,
    ]
    .into_iter()
    .enumerate()
    {
        let at = at as u64;
        fixture.under(
            fixture.root,
            Label::Index(at as i64),
            kind,
            0x20 + 16 * at,
            0,
        );
    }
    let json: Value = serde_json::from_str(&written(write_json, &fixture.finish())).unwrap();
    let childs = json["childs"].as_array().unwrap();
    let found: Vec<_> = childs
        .iter()
        .map(|child| {
            (
                child["type"].as_u64().unwrap(),
                child["desc"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [(6, "(func: :0)"), (6, ""), (7, ""), (8, "(vars: 0)")]
    );
}

#[test]
fn a_difference_keeps_the_unchanged_that_holds_the_new() {
    let later = {
        let mut fixture = Fixture::new("tbl", 0xb25900, 3);
        let d = fixture.field(fixture.root, "d", Kind::Table, 0xb25a50, 2);
        let new = fixture.field(d, "new", Kind::Table, 0x50, 0);
        fixture.field(fixture.root, "a", Kind::Table, 0xb259d0, 3);
        fixture
            .builder
            .edge(new, new, Label::Index(1), Strength::Strong)
            .unwrap();
        fixture.finish()
    };
    let more = increase(&sample(), &later).unwrap();
    let expected = concat!(
        r#"{"name":"table:0xb25900","type":5,"refs":1,"desc":"(size: 3)","link":"tbl","childs":["#,
        r#"{"name":"table:0xb25a50","type":5,"refs":1,"desc":"(size: 2)","link":"d","childs":["#,
        r#"{"name":"table:0x50","type":5,"refs":2,"desc":"(size: 0)(+)","link":"new","#,
        r#""childs":[]}]}]}"#,
        "\n"
    );
    assert_eq!(written(write_json, &more), expected);
}

#[test]
fn what_is_no_utf8_is_escaped() {
    for (key, expected) in [
        (&b"\"\\/"[..], r#"\"\\/"#),
        (
            b"\n\r\t\x08\x0c\x00\x1f\x7f",
            r"\n\r\t\b\f\u0000\u001f\u007f",
        ),
        // A C1 control, a change of direction, a separator, a byte order mark, a tag beyond 16
        // bits.
        (
            "\u{9b}\u{202e}\u{2028}\u{feff}\u{e0041}".as_bytes(),
            r"\u009b\u202e\u2028\ufeff\udb40\udc41",
        ),
        (b"a\xffb\xe7\xbc", "a\u{FFFD}FFb\u{FFFD}E7\u{FFFD}BC"),
        ("a\u{FFFD}b".as_bytes(), "a\u{FFFD}EF\u{FFFD}BF\u{FFFD}BDb"),
        ("缓存😀".as_bytes(), "缓存😀"),
        (b"[1]", r#"[\"[1]\"]"#),
    ] {
        let json = written(write_json, &keyed(&[key]));
        assert!(json.contains(&format!(r#""link":"{expected}","#)), "{json}");
        serde_json::from_str::<Value>(&json).unwrap();
    }
}

/// Keys with many bytes that need escapes.
fn key() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        "[\\[\\]\"\\\\\u{FFFD}0-9A-Fé\n]{1,3}".prop_map(String::into_bytes),
        Just(vec![0xEF, 0xBF]),
        Just("\u{FFFD}EF".to_owned().into_bytes()),
        Just(vec![0xEF]),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn two_keys_never_print_alike(keys in prop::collection::vec(key(), 1..40)) {
        let mut fixture = Fixture::new("t", 0x10, 0);
        let mut expected = HashMap::new();
        for (at, key) in keys.iter().enumerate() {
            let address = 0x20 + 16 * at as u64;
            if expected.insert(key, address).is_none() {
                fixture.field(fixture.root, key, Kind::Table, address, 0);
            }
        }
        for label in [Label::Index(1), Label::Boolean(true), Label::Key] {
            let address = 0x10_0000 + 16 * fixture.builder.node_count() as u64;
            fixture.under(fixture.root, label, Kind::Table, address, 0);
        }
        let json: Value = serde_json::from_str(&written(write_json, &fixture.finish())).unwrap();
        let childs = json["childs"].as_array().unwrap();
        let links: std::collections::HashSet<_> =
            childs.iter().map(|child| child["link"].as_str().unwrap()).collect();
        prop_assert_eq!(links.len(), expected.len() + 3);
    }
}

#[test]
fn a_path_of_a_million_steps_is_no_deeper_than_the_heap() {
    let snapshot = list(1_000_000);
    let mut disk = Disk::with_room(u64::MAX);
    write_json(&mut disk, &snapshot).unwrap();
    assert!(disk.taken < 100_000_000, "{}", disk.taken);
    let mut disk = Disk::with_room(u64::MAX);
    write_json_indented(&mut disk, &snapshot).unwrap();
    assert!(disk.taken < 3_000_000_000, "{}", disk.taken);
}

#[test]
fn a_failed_write_is_passed_on() {
    for write in [write_json, write_json_indented] {
        let all = written(write, &sample()).len() as u64;
        for room in 0..all {
            let error = write(&mut Disk::with_room(room), &sample()).unwrap_err();
            assert!(is_full(&error), "{error}");
        }
        write(&mut Disk::with_room(all), &sample()).unwrap();
    }
}

#[test]
fn a_key_larger_than_any_buffer() {
    let key = vec![b'k'; 1_000_000];
    let json = written(write_json, &keyed(&[&key]));
    assert!(json.contains(std::str::from_utf8(&key).unwrap()));
}
