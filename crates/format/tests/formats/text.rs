//! The text table.

use crate::fixture::{Disk, Fixture, is_full, keyed, list, sample, written};
use luasnap_format::write_text;
use luasnap_heap::{Kind, Label, Snapshot, decrease, increase};

const HEADER: &str = "                      name\t  refs\t              desc\tlink\n";

#[test]
fn the_sample_of_the_reference() {
    // The reference has the rows of a depth-first walk in the order of a hash; here siblings are in
    // the order of their keys, `a` before `d`.
    let expected = "                      name\t  refs\t              desc\tlink
            table:0xb25900\t     1\t         (size: 3)\ttbl
            table:0xb259d0\t     1\t         (size: 3)\ttbl.a
            table:0xb25a50\t     1\t         (size: 2)\ttbl.d
            table:0xb25ae0\t     1\t         (size: 0)\ttbl.d.aa
";
    assert_eq!(written(write_text, &sample()), expected);
}

#[test]
fn nothing_is_the_header_alone() {
    assert_eq!(written(write_text, &Snapshot::empty()), HEADER);
    let nothing_new = increase(&sample(), &sample()).unwrap();
    assert_eq!(written(write_text, &nothing_new), HEADER);
}

/// `_G` before and after the second sample of the reference.
fn globals(after: bool) -> Snapshot {
    let mut fixture = Fixture::new("_G", 0x24d2930, if after { 44 } else { 37 });
    let root = fixture.root;
    let string = fixture.field(root, "string", Kind::Table, 0x10, 17);
    fixture.field(string, "len", Kind::CFunction, 0x20, 0);
    if after {
        fixture.field(string, "trim", Kind::CFunction, 0x30, 0);
        let source = fixture.builder.name(b"4.lua").unwrap();
        let function = fixture.field(root, "foo", Kind::LuaFunction, 0x24dce80, 20);
        fixture.builder.set_source(function, source);
        fixture.field(root, "co", Kind::Thread, 0x24dcab8, 0);
        let tbl = fixture.field(root, "tbl", Kind::Table, 0x24dcde0, 3);
        fixture.field(tbl, "a", Kind::Table, 0x24dc920, 3);
        fixture.field(root, "file", Kind::Userdata, 0x24dd730, 0);
    }
    fixture.finish()
}

#[test]
fn an_increase_has_its_rows_with_whole_paths() {
    let expected = "                      name\t  refs\t              desc\tlink
           table:0x24d2930\t     1\t    (size: 44)(+7)\t_G
          thread:0x24dcab8\t     1\t      (vars: 0)(+)\t_G.co
        userdata:0x24dd730\t     1\t               (+)\t_G.file
        function:0x24dce80\t     1\t(func: 4.lua:20)(+)\t_G.foo
             function:0x30\t     1\t               (+)\t_G.string.trim
           table:0x24dcde0\t     1\t      (size: 3)(+)\t_G.tbl
           table:0x24dc920\t     1\t      (size: 3)(+)\t_G.tbl.a
";
    let more = increase(&globals(false), &globals(true)).unwrap();
    assert_eq!(written(write_text, &more), expected);
    assert_eq!(more.len(), Ok(7));
}

#[test]
fn a_decrease_has_the_sizes_afterwards() {
    let less = decrease(&globals(true), &globals(false)).unwrap();
    let text = written(write_text, &less);
    assert!(text.contains("\t    (size: 37)(-7)\t_G\n"), "{text}");
    assert!(text.contains("\t      (vars: 0)(-)\t_G.co\n"), "{text}");
    let table = |count| Fixture::new("t", 0x10, count).finish();
    let less = decrease(&table(4), &table(3)).unwrap();
    assert!(written(write_text, &less).ends_with("\t     1\t     (size: 3)(-1)\tt\n"));
}

#[test]
fn a_row_is_a_line_whatever_the_keys_hold() {
    let snapshot = keyed(&[b"a\nb\tc", b"\xff\x00", b"\\n", "缓存".as_bytes(), b""]);
    let text = written(write_text, &snapshot);
    let links: Vec<&str> = text
        .lines()
        .skip(2)
        .map(|line| line.rsplit('\t').next().unwrap())
        .collect();
    assert_eq!(
        links,
        ["t.", "t.\\n", "t.a\\nb\\tc", "t.缓存", "t.\\xFF\\x00"]
    );
    let mut fixture = Fixture::new("t", 0x10, 1);
    let function = fixture.under(fixture.root, Label::Index(1), Kind::LuaFunction, 0x20, 1);
    let source = fixture.builder.name(b"[string \"a\tb\xff\"]").unwrap();
    fixture.builder.set_source(function, source);
    let text = written(write_text, &fixture.finish());
    assert!(
        text.ends_with("\t(func: [string \"a\\tb\\xFF\"]:1)\tt.[1]\n"),
        "{text}"
    );
}

#[test]
fn paths_are_whole_while_the_text_stays_short_enough() {
    let text = written(write_text, &list(1400));
    let longest = text.lines().next_back().unwrap();
    assert_eq!(longest.matches(".next").count(), 1399);
    assert!(!text.contains("steps"));
}

#[test]
fn a_path_of_a_million_steps_is_shortened() {
    let snapshot = list(1_000_000);
    let mut disk = Disk::with_room(u64::MAX);
    write_text(&mut disk, &snapshot).unwrap();
    assert!(disk.taken < 300_000_000, "{}", disk.taken);
    let text = written(write_text, &list(2_000));
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows[100].matches(".next").count(), 99);
    let end = "next.".repeat(15) + "next";
    let start = "t".to_owned() + &".next".repeat(15);
    let shortened = |left_out| format!("\t{start}...[{left_out} steps]...{end}");
    assert!(rows[101].ends_with(&shortened(69)), "{}", rows[101]);
    assert!(rows[2_000].ends_with(&shortened(1968)), "{}", rows[2_000]);
}

#[test]
fn a_shortened_path_does_not_spoil_those_after_it() {
    let mut fixture = Fixture::new("t", 0x10, 1);
    let mut last = fixture.root;
    let mut branches = Vec::new();
    for at in 1..5_000 {
        last = fixture.field(last, "a", Kind::Table, 0x10 + 16 * at, 1);
        branches.push(last);
    }
    for (at, depth) in [1, 15, 16, 98, 99, 100, 200].into_iter().enumerate() {
        fixture.field(
            branches[depth - 1],
            "z",
            Kind::Table,
            0x1_0000_0000 + 16 * at as u64,
            0,
        );
    }
    let text = written(write_text, &fixture.finish());
    let branch = |depth| format!("\tt{}.z\n", ".a".repeat(depth));
    for depth in [1, 15, 16, 98] {
        assert!(text.contains(&branch(depth)), "{depth}");
    }
    assert!(!text.contains(&branch(99)));
    let end = ".a".repeat(14);
    for left_out in [69, 70, 170] {
        let path = format!("t{}...[{left_out} steps]...a{end}.z\n", ".a".repeat(15));
        assert!(text.contains(&path), "{left_out}");
    }
}

#[test]
fn a_failed_write_is_passed_on() {
    let snapshot = sample();
    let all = written(write_text, &snapshot).len() as u64;
    for room in 0..all {
        let error = write_text(&mut Disk::with_room(room), &snapshot).unwrap_err();
        assert!(is_full(&error), "{error}");
    }
    write_text(&mut Disk::with_room(all), &snapshot).unwrap();
    let error = write_text(&mut Disk::with_room(100_000), &list(100_000)).unwrap_err();
    assert!(is_full(&error), "{error}");
}
