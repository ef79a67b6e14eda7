//! The page: its data are the answers, whatever the heap, and nothing else is in it.

use crate::fixture::{Disk, Fixture, is_full, keyed, list};
use crate::random_heap::recipe;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use luasnap_format::{
    Page, PageError, PageOptions, PageSnapshot, SaveOptions, Stats, growth, read_snapshot, top,
    waste, write_snapshot,
};
use luasnap_heap::{
    Census, CompareError, Engine, GroupOrder, HeapBuilder, Kind, Label, NodeId, Provenance,
    Snapshot, Strength, Waste, increase,
};
use luasnap_words::Language;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Read;

const MOST_BYTES: usize = 2 << 20;

fn about(snapshot: &Snapshot) -> PageSnapshot<'_> {
    PageSnapshot {
        snapshot,
        name: Some("heap.luasnap"),
        file_bytes: Some(1000),
    }
}

fn page(snapshots: &[&Snapshot], options: &PageOptions) -> Page {
    let about: Vec<_> = snapshots.iter().map(|snapshot| about(snapshot)).collect();
    Page::new(&about, options).unwrap()
}

fn html(page: &Page) -> String {
    let mut html = Vec::new();
    page.write(&mut html).unwrap();
    assert_eq!(html.len() as u64, page.byte_count());
    String::from_utf8(html).unwrap()
}

/// Returns the data that a browser unpacks.
fn unpacked(html: &str) -> Value {
    let (_, rest) = html.split_once("id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    let packed = STANDARD.decode(data).unwrap();
    let mut json = String::new();
    GzDecoder::new(&packed[..])
        .read_to_string(&mut json)
        .unwrap();
    serde_json::from_str(&json).unwrap()
}

/// Returns JSON as it is read: the last digit of a fraction may be another one.
fn read_again(json: &Value) -> Value {
    serde_json::from_str(&json.to_string()).unwrap()
}

/// Returns the data of a page, which are in it as they are.
fn data(snapshots: &[&Snapshot], options: &PageOptions) -> Value {
    let page = page(snapshots, options);
    let data = unpacked(&html(&page));
    assert_eq!(data, read_again(page.data()));
    data
}

fn column<'a>(data: &'a Value, name: &str) -> &'a [Value] {
    data["cells"][name].as_array().unwrap()
}

fn numbers(data: &Value, name: &str) -> Vec<u64> {
    let column = column(data, name).iter();
    column.map(|number| number.as_u64().unwrap()).collect()
}

/// Checks that cells add up: each retains what it has itself and what those below it retain, and the first one all.
fn check_cells(data: &Value, census: &Census) {
    let parents = column(data, "parent");
    let (sizes, retained) = (numbers(data, "size"), numbers(data, "retained"));
    let mut left = retained.clone();
    let mut last_parent = 0;
    for (cell, parent) in parents.iter().enumerate().skip(1) {
        let parent = parent.as_u64().unwrap() as usize;
        assert!(
            parent < cell && parent >= last_parent,
            "children follow each other"
        );
        let is_first = parent > last_parent || cell == 1;
        let others = column(data, "others")[cell].as_bool().unwrap();
        assert!(is_first || others || retained[cell - 1] >= retained[cell]);
        assert!(retained[cell] > 0);
        left[parent] -= retained[cell];
        last_parent = parent;
    }
    for (cell, left) in left.iter().enumerate() {
        let is_others = column(data, "others")[cell].as_bool().unwrap();
        assert_eq!(
            *left,
            if is_others {
                retained[cell]
            } else {
                sizes[cell]
            }
        );
    }
    assert_eq!(retained.first().copied().unwrap_or(0), census.live.bytes);
    assert!(numbers(data, "count").iter().sum::<u64>() <= census.live.count);
}

/// `_G.cache` with this many tables of 100 bytes, each with a text.
fn cache(entries: u64, taken_at: u64) -> Snapshot {
    let mut builder = HeapBuilder::new();
    let (globals, _) = builder.node(Kind::Table, 0x10).unwrap();
    let (cache, _) = builder.node(Kind::Table, 0x20).unwrap();
    builder.set_size(globals, 64);
    builder.set_size(cache, 64);
    let root = Label::Root(builder.name(b"_G").unwrap());
    let field = Label::Field(builder.name(b"cache").unwrap());
    let text = builder
        .name(b"SECRET text that is there more than once")
        .unwrap();
    let value = Label::Field(builder.name(b"text").unwrap());
    let strong = Strength::Strong;
    builder.edge(NodeId::ROOT, globals, root, strong).unwrap();
    builder.edge(globals, cache, field, strong).unwrap();
    for number in 1..=entries {
        let (entry, _) = builder.node(Kind::Table, 0x100 * number).unwrap();
        let (string, _) = builder.node(Kind::String, 0x100 * number + 0x80).unwrap();
        builder.set_size(entry, 100);
        builder.set_size(string, 70);
        builder.set_count(string, 1);
        builder.set_source(string, text);
        let label = Label::Index(number as i64);
        builder.edge(cache, entry, label, strong).unwrap();
        builder.edge(entry, string, value, strong).unwrap();
    }
    let heap = builder.finish_reached(Provenance {
        engine: Engine::Native,
        vm: "Lua 5.4".into(),
        taken_at: Some(taken_at),
        ..Provenance::default()
    });
    Snapshot::new(heap.unwrap())
}

#[test]
fn the_data_are_the_answers() {
    let snapshots = [cache(10, 1000), cache(20, 61_000), cache(30, 121_000)];
    let options = PageOptions::default();
    let found = data(&snapshots.each_ref(), &options);
    let last = &snapshots[2];
    let top = top(last, GroupOrder::Retained, options.rows).unwrap();
    assert_eq!(found["top"], expected(&top));
    let growth = growth(&snapshots.each_ref(), options.rows).unwrap();
    assert_eq!(found["growth"], expected(&growth));
    let wasted = Waste::new(last).unwrap();
    let mut stats = expected(&Stats::new(last, &wasted.census).unwrap());
    // How much memory it takes depends on what it was asked before.
    stats["memory"] = found["stats"]["memory"].clone();
    assert_eq!(found["stats"], stats);
    assert_eq!(found["waste"], expected(&waste(last, &wasted, 5).unwrap()));
    assert_eq!(found["elapsed_ms"], 120_000);
    assert_eq!(found["snapshots"][1]["size"], growth.sizes[1]);
    assert_eq!(found["snapshots"][1]["count"], 42);
    assert_eq!(found["snapshots"][1]["taken_at_ms"], 61_000);

    let finding = &found["findings"][0];
    assert_eq!(finding["fingerprint"], growth.suspects[0].fingerprint);
    let steps: Vec<&Value> = finding["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["step"])
        .collect();
    assert_eq!(
        (steps, &finding["has_point"]),
        (vec![&json!("_G"), &json!("cache")], &json!(true))
    );
    assert_eq!(finding["steps"][1]["retained"], growth.suspects[0].retained);
    assert_eq!(finding["a_minute"], growth.suspects[0].grown / 2);
    assert_eq!(finding["sizes"], json!([1700, 3400, 5100]));
    let cell = finding["cell"].as_u64().unwrap() as usize;
    assert_eq!(column(&found, "path")[cell], "_G.cache");
    check_cells(&found, &Census::new(last).unwrap());
    assert_eq!(numbers(&found, "new")[0], 20 * 170);
    assert_eq!(found["strings"], "beginnings");
}

/// Returns what `--json` writes of an answer.
fn expected(answer: &impl serde::Serialize) -> Value {
    read_again(&serde_json::to_value(answer).unwrap())
}

#[test]
fn members_of_one_group_are_one_cell() {
    let snapshot = cache(30, 0);
    let found = data(&[&snapshot], &PageOptions::default());
    let row = |cell: usize| {
        let of = |name: &str| column(&found, name)[cell].clone();
        (of("parent"), of("name"), of("count"), of("retained"))
    };
    assert_eq!(row(0), (json!(null), json!(""), json!(0), json!(5228)));
    assert_eq!(row(1), (json!(0), json!("_G"), json!(1), json!(5228)));
    assert_eq!(row(2), (json!(1), json!("cache"), json!(1), json!(5164)));
    assert_eq!(
        row(3),
        (json!(2), json!("cache.[*]"), json!(30), json!(5100))
    );
    assert_eq!(row(4), (json!(3), json!(""), json!(30), json!(2100)));
    assert_eq!(column(&found, "type")[4], "string");
    assert!(found["cells"].get("new").is_none() && found["growth"].is_null());
    assert_eq!(found["findings"][0]["has_point"], true);
}

#[test]
fn a_list_is_one_cell_however_long_it_is() {
    let list = list(100_000);
    let found = data(&[&list], &PageOptions::default());
    let count = numbers(&found, "count");
    assert!(count.contains(&99_999) && count.len() < 6, "{count:?}");
    check_cells(&found, &Census::new(&list).unwrap());
}

#[test]
fn what_is_small_is_folded_with_its_bytes() {
    let mut fixture = Fixture::new("_G", 0x10, 0);
    let root = fixture.root;
    for number in 0..3000u64 {
        // Functions of 3000 lines are as many groups.
        let label = Label::Index(number as i64);
        let line = number as u32 + 1;
        let function = fixture.under(root, label, Kind::LuaFunction, 0x1000 + 64 * number, line);
        let source = fixture.builder.name(b"main.lua").unwrap();
        fixture.builder.set_source(function, source);
    }
    let snapshot = fixture.finish();
    let found = data(&[&snapshot], &PageOptions::default());
    assert_eq!(found["top"]["group_count"], 3001);
    let last = column(&found, "others").len() - 1;
    assert_eq!(column(&found, "others")[last], true);
    assert_eq!(numbers(&found, "count")[last], 3000);
    assert_eq!(numbers(&found, "retained")[last], 3000 * 56);
    check_cells(&found, &Census::new(&snapshot).unwrap());
}

/// A chain of functions of as many lines, each of which retains most of all, with long names; and a million more
/// side by side.
fn hostile(chain: u64, beside: u64) -> Snapshot {
    let mut fixture = Fixture::new("_G", 0x10, 0);
    let upvalue = fixture.builder.name(b"next").unwrap();
    let mut above = fixture.root;
    let mut noise = 0x9e37_79b9_7f4a_7c15u64;
    let mut name = move || -> String {
        let mut letter = || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            char::from(33 + (noise >> 32) as u8 % 90)
        };
        (0..200).map(|_| letter()).collect()
    };
    for number in 0..chain + beside {
        let (retainer, label) = match number < chain {
            true => (above, Label::Upvalue(upvalue)),
            false => (fixture.root, Label::Index(number as i64)),
        };
        let address = 0x1000 + 64 * number;
        let line = number as u32;
        let function = fixture.under(retainer, label, Kind::LuaFunction, address, line);
        if number < chain {
            above = function;
            let source = fixture.builder.name(name().as_bytes()).unwrap();
            fixture.builder.set_source(function, source);
        }
    }
    fixture.finish()
}

#[test]
fn a_page_has_two_mebibytes_at_most() {
    let snapshot = hostile(60_000, 1_000_000);
    let page = page(&[&snapshot], &PageOptions::default());
    let html = html(&page);
    assert!(html.len() <= MOST_BYTES, "{}", html.len());
    let data = unpacked(&html);
    assert_eq!(data["top"]["group_count"], 1_060_001);
    assert!((1000..=20_000).contains(&column(&data, "parent").len()));
    check_cells(&data, &Census::new(&snapshot).unwrap());
}

#[test]
fn names_are_in_the_data_alone() {
    const NAMES: [&str; 4] = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "{{data}}{{verdict}}",
        "\u{202e}\n\u{1b}[31m' onload='x",
    ];
    let names = NAMES.map(str::as_bytes);
    let snapshot = keyed(&names);
    let options = PageOptions {
        title: Some(NAMES.concat()),
        command: Some(NAMES.concat()),
        ..PageOptions::default()
    };
    let mut about = about(&snapshot);
    about.name = Some(NAMES[1]);
    let page = Page::new(&[about], &options).unwrap();
    let html = html(&page);
    let (before, rest) = html.split_once("<noscript>").unwrap();
    let (verdict, after) = rest.split_once("</noscript>").unwrap();
    for part in [before, after] {
        assert!(!part.contains("alert(1)") && !part.contains("onload"));
    }
    assert!(!verdict.contains("<img") && !verdict.contains("<script"));
    assert_eq!(html.matches("<script").count(), 4);
    assert_eq!(unpacked(&html), read_again(page.data()));
    assert_eq!(
        page.data()["title"]
            .as_str()
            .unwrap()
            .matches(r"\u{202E}\n\x1B")
            .count(),
        1
    );
    let policy = "default-src 'none'; script-src 'sha256-";
    assert!(before.contains(policy));
    // The name of a namespace, which nobody fetches.
    assert_eq!(
        html.matches("://").count(),
        html.matches("http://www.w3.org/2000/svg").count()
    );
}

#[test]
fn texts_are_left_out_if_asked() {
    let snapshot = cache(30, 0);
    let without = PageOptions {
        strings: false,
        ..PageOptions::default()
    };
    let shown = data(&[&snapshot], &PageOptions::default());
    assert!(shown.to_string().contains("SECRET"));
    let hidden = data(&[&snapshot], &without);
    assert!(!hidden.to_string().contains("SECRET"));
    assert_eq!(hidden["strings"], "left_out");
    assert_eq!(hidden["top"]["groups"], shown["top"]["groups"]);
    assert_eq!(hidden["cells"]["retained"], shown["cells"]["retained"]);

    let mut file = Vec::new();
    let options = SaveOptions {
        strings: false,
        ..SaveOptions::default()
    };
    write_snapshot(&mut file, &snapshot, options).unwrap();
    let saved = read_snapshot(&file).unwrap();
    assert_eq!(
        data(&[&saved], &PageOptions::default())["strings"],
        "left_out_of_the_file"
    );
    assert_eq!(
        data(&[&keyed(&[b"a"])], &PageOptions::default())["strings"],
        "unknown"
    );
}

#[test]
fn options_are_in_the_data() {
    let snapshot = cache(3, 0);
    let options = PageOptions {
        title: Some("a title".to_owned()),
        language: Language::from_code(b"zh"),
        rows: 2,
        command: Some("luasnap report x".to_owned()),
        ..PageOptions::default()
    };
    let found = data(&[&snapshot], &options);
    assert_eq!(
        (&found["title"], &found["language"]),
        (&json!("a title"), &json!("zh"))
    );
    assert_eq!(found["command"], "luasnap report x");
    assert_eq!(found["top"]["groups"].as_array().unwrap().len(), 2);
    assert_eq!(Language::from_code(b"de"), None);
    assert_eq!(Language::English.code(), "en");
}

/// The answers on the page are in English; what they say is there in Chinese as well.
#[test]
fn what_it_says_is_there_in_chinese() {
    let options = PageOptions::default();
    // Each sentence is there in English, as the answer has it, and in Chinese.
    let in_chinese = |data: &Value, english: &Value| {
        let pairs = data["chinese"].as_array().unwrap().iter();
        let found = pairs.filter(|pair| &pair[0] == english);
        let found: Vec<&str> = found.map(|pair| pair[1].as_str().unwrap()).collect();
        assert_eq!(found.len(), 1, "{english}");
        found[0].to_owned()
    };
    let one = data(&[&cache(3, 0)], &options);
    let english = &one["top"]["verdict"];
    assert!(english.as_str().unwrap().contains(" retain"), "{english}");
    let verdict = in_chinese(&one, english);
    assert!(verdict.contains("保留"), "{verdict}");
    let snapshots = [cache(3, 0), cache(30, 60_000), cache(90, 120_000)];
    let several = data(&snapshots.each_ref(), &options);
    let english = &several["growth"]["verdict"];
    let grows = english.as_str().unwrap().contains("grows in every step");
    assert!(grows, "{english}");
    let verdict = in_chinese(&several, english);
    assert!(verdict.contains("每一步都在增长"), "{verdict}");
}

#[test]
fn an_empty_heap_has_a_page() {
    let empty = Snapshot::empty();
    let found = data(&[&empty], &PageOptions::default());
    assert_eq!(
        (&found["top"]["size"], &found["findings"]),
        (&json!(0), &json!([]))
    );
    let root = HeapBuilder::new().finish().unwrap();
    check_cells(
        &data(&[&Snapshot::new(root)], &PageOptions::default()),
        &Census::new(&empty).unwrap(),
    );
}

#[test]
fn what_has_no_page_is_told() {
    let error = |snapshots: &[&Snapshot]| {
        let about: Vec<_> = snapshots.iter().map(|snapshot| about(snapshot)).collect();
        Page::new(&about, &PageOptions::default()).err().unwrap()
    };
    let (one, two) = (cache(1, 0), cache(2, 1));
    assert!(matches!(error(&[]), PageError::NoSnapshot));
    let difference = increase(&one, &two).unwrap();
    assert!(matches!(error(&[&difference]), PageError::Difference(1)));
    assert!(matches!(
        error(&[&one, &difference]),
        PageError::Difference(2)
    ));
    let told = "snapshot 1 is the difference of two others: a page is about whole snapshots";
    assert_eq!(error(&[&difference]).to_string(), told);
    let portable = keyed(&[b"a"]);
    assert!(matches!(
        error(&[&one, &portable]),
        PageError::Incomparable(CompareError::Vms { .. })
    ));
    let empty = Snapshot::empty();
    assert!(matches!(
        error(&[&one, &empty]),
        PageError::Incomparable(CompareError::Empty(2))
    ));
}

#[test]
fn a_writer_that_fails_is_told() {
    let snapshot = cache(1, 0);
    let page = page(&[&snapshot], &PageOptions::default());
    for room in [0, 1, page.byte_count() - 1] {
        assert!(is_full(
            &page.write(&mut Disk::with_room(room)).unwrap_err()
        ));
    }
    page.write(&mut Disk::with_room(page.byte_count())).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cells_of_any_heap_add_up(recipe in recipe(60)) {
        let snapshot = recipe.snapshot();
        let found = data(&[&snapshot], &PageOptions::default());
        check_cells(&found, &Census::new(&snapshot).unwrap());
    }
}
