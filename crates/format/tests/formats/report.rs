//! The short report.

use crate::fixture::{Fixture, sample, written};
use luasnap_format::{ReportOptions, write_report};
use luasnap_heap::{Kind, Label, Snapshot, decrease, increase};
use luasnap_words::Language;
use std::io;

fn report(snapshot: &Snapshot, rows: usize) -> String {
    report_in(Language::English, snapshot, rows)
}

fn report_in(language: Language, snapshot: &Snapshot, rows: usize) -> String {
    let write = |out: &mut dyn io::Write, snapshot: &Snapshot| {
        write_report(out, snapshot, ReportOptions { rows, language })
    };
    written(write, snapshot)
}

/// A program before and after a leak.
fn program(leaked: u32) -> Snapshot {
    let mut fixture = Fixture::new("_G", 0x10, 40);
    let root = fixture.root;
    let cache = fixture.field(root, "cache", Kind::Table, 0x20, 12 + leaked);
    let handlers = fixture.field(root, "handlers", Kind::Table, 0x30, leaked.min(3));
    let source = fixture.builder.name(b"main.lua").unwrap();
    for at in 0..leaked {
        let address = 0x1000 + 16 * u64::from(at);
        fixture.field(cache, format!("session-{at}"), Kind::Table, address, 0);
    }
    for at in 0..leaked.min(3) {
        let label = Label::Index(i64::from(at) + 1);
        let address = 0x10_0000 + 16 * u64::from(at);
        let function = fixture.under(handlers, label, Kind::LuaFunction, address, 20);
        fixture.builder.set_source(function, source);
    }
    if leaked > 0 {
        let list = fixture.field(root, "list", Kind::Table, 0x20_0000, 1);
        let next = fixture.field(list, "next", Kind::Table, 0x20_0010, 1);
        fixture.field(next, "next", Kind::Table, 0x20_0020, 1);
        fixture.field(list, "close", Kind::CFunction, 0x20_0030, 0);
    }
    fixture.finish()
}

#[test]
fn what_a_leak_looks_like() {
    let more = increase(&program(0), &program(10_000)).unwrap();
    let expected = "\
10,000 new tables, _G.cache.*, retain about 546.9 KiB.

5 groups hold 10,007 new objects, about 547.3 KiB (strings not counted):

      objects       about    retained  type      held by
       10,000   546.9 KiB   546.9 KiB  table     _G.cache.*
                                                 e.g. _G.cache.session-0
            3       168 B       168 B  function  _G.handlers.[*]  (defined at main.lua:20)
                                                 e.g. _G.handlers.[1]
            2       112 B       112 B  table     _G.list.next
            1        56 B       224 B  table     _G.list
            1        56 B        56 B  function  _G.list.close  (in C)

Tables that grew most:
  _G.cache grew by 10,000 entries to 10,012
  _G.handlers grew by 3 entries to 3
";
    assert_eq!(report(&more, 10), expected);
}

#[test]
fn in_chinese() {
    let more = increase(&program(0), &program(10_000)).unwrap();
    let expected = "\
10,000 个新表，_G.cache.*，一共保留 ≈ 546.9 KiB。

5 个分组里有 10,007 个新对象，≈ 547.3 KiB（字符串未计）：

         对象          约    保留大小  类型      引用路径
       10,000   546.9 KiB   546.9 KiB  table     _G.cache.*
                                                 例如 _G.cache.session-0
            3       168 B       168 B  function  _G.handlers.[*]（定义在 main.lua:20）
                                                 例如 _G.handlers.[1]
            2       112 B       112 B  table     _G.list.next
  ……还有 2 个较小的分组

增长最多的表：
  _G.cache 增长了 10,000 个条目，现为 10,012 个
  _G.handlers 增长了 3 个条目，现为 3 个
";
    assert_eq!(report_in(Language::Chinese, &more, 3), expected);
    let less = decrease(&program(1), &program(0)).unwrap();
    let text = report_in(Language::Chinese, &less, 1);
    assert!(
        text.starts_with(
            "一个已不在的表，_G.list，曾保留 ≈ 224 B。\n\n5 个分组里有 6 个对象（已不在），≈ 336 B"
        ),
        "{text}"
    );
    assert!(
        text.contains("  _G.cache 缩小了 1 个条目，现为 12 个\n"),
        "{text}"
    );
}

#[test]
fn only_so_many_rows() {
    let more = increase(&program(0), &program(20)).unwrap();
    let expected = "\
20 new tables, _G.cache.*, retain about 1.1 KiB.

5 groups hold 27 new objects, about 1.5 KiB (strings not counted):

      objects       about    retained  type      held by
           20     1.1 KiB     1.1 KiB  table     _G.cache.*
                                                 e.g. _G.cache.session-0
  ... and 4 smaller groups

Tables that grew most:
  _G.cache grew by 20 entries to 32
  ... and 1 more table
";
    assert_eq!(report(&more, 1), expected);
}

#[test]
fn what_is_gone() {
    let less = decrease(&program(1), &program(0)).unwrap();
    let text = report(&less, 1);
    assert!(
        text.starts_with(
            "One table that is gone, _G.list, retained about 224 B.\n\n\
             5 groups hold 6 objects that are gone, about 336 B"
        ),
        "{text}"
    );
    assert!(
        text.ends_with("  _G.cache shrank by 1 entry to 12\n  ... and 1 more table\n"),
        "{text}"
    );
}

#[test]
fn nothing_new() {
    let nothing = increase(&sample(), &sample()).unwrap();
    assert_eq!(report(&nothing, 10), "nothing new is left behind.\n");
    assert_eq!(report(&Snapshot::empty(), 10), "the snapshot is empty.\n");
}

#[test]
fn a_table_alone_that_grew() {
    let table = |count| Fixture::new("t", 0x10, count).finish();
    let more = increase(&table(1), &table(2)).unwrap();
    assert_eq!(
        report(&more, 10),
        "Tables that grew most:\n  t grew by 1 entry to 2\n"
    );
}

#[test]
fn long_paths_and_long_keys_are_cut() {
    let mut fixture = Fixture::new("t", 0x10, 1);
    let mut last = fixture.root;
    for at in 0..100_000u64 {
        last = fixture.field(last, format!("k{}", at % 7), Kind::Table, 0x20 + 16 * at, 1);
    }
    fixture.field(last, "é\n".repeat(1000), Kind::Thread, 0x10_0000_0000, 1);
    let text = report(&fixture.finish(), 50);
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest < 150, "{widest}");
    assert!(
        text.contains("t.k0.k1.k2.k3.k4.k5.k6…["),
        "{}",
        &text[..2000]
    );
}
