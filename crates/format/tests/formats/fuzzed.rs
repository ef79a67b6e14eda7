//! What the fuzz targets of `fuzz/` do with their bytes; ordinary tests do the same with their
//! seeds.

use crate::all_analyses::run_all_with;
use crate::file_parts::{Part, Parts, repair_checksums};
use luasnap_format::{
    FileAnswers, GroupTitles, GrowthAnswer, GrowthQuestion, Info, NewAnswers, ObjectRow,
    RetainersOptions, SaveOptions, TopTable, address_of, printable, read_snapshot, resolve,
    retainers_by_titles, write_snapshot,
};
use luasnap_heap::{
    GroupOrder, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength, is_printable,
};
use std::fmt::Display;
use std::sync::LazyLock;

/// Any bytes as the answers that a file keeps, all of them or one alone: what is read of them is shown like anything
/// else.
pub fn answers(bytes: &[u8]) {
    let all = FileAnswers::new(1, bytes);
    for table in [TopTable::from_bytes(bytes), all.top()] {
        table.iter().for_each(show_top);
    }
    for info in [Info::from_bytes(bytes), all.info()] {
        info.iter().for_each(show_info);
    }
    all.growth(&question()).iter().for_each(show_growth);
    show_found(&all);
    assert!(all.bytes_with(&NewAnswers::default()).is_ok());
}

/// A snapshot of which trees and titles may be kept: `_G` with two tables that share a third one, read from a file.
pub fn snapshot() -> Snapshot {
    let mut builder = HeapBuilder::new();
    let mut node = |kind, at: u64| builder.node(kind, 16 * at).unwrap().0;
    let globals = node(Kind::Table, 1);
    let [one, other, shared] = [2, 3, 4].map(|at| node(Kind::Table, at));
    let name = builder.name(b"_G").unwrap();
    for (from, to, label) in [
        (NodeId::ROOT, globals, Label::Root(name)),
        (globals, one, Label::Index(1)),
        (globals, other, Label::Index(2)),
        (one, shared, Label::Field(name)),
        (other, shared, Label::Field(name)),
        (shared, one, Label::Metatable),
    ] {
        builder.edge(from, to, label, Strength::Strong).unwrap();
    }
    let built = Snapshot::new(builder.finish().unwrap());
    let mut file = Vec::new();
    write_snapshot(&mut file, &built, SaveOptions::default()).unwrap();
    read_snapshot(&file).unwrap()
}

/// Whatever trees and titles say, they say of what keeps objects alive something or nothing.
fn show_found(all: &FileAnswers) {
    let snapshot = snapshot();
    let Some(titles) = all.titles(&snapshot).filter(|_| all.put_trees(&snapshot)) else {
        return;
    };
    let options = RetainersOptions {
        retainers: 9,
        paths: 9,
    };
    let nodes: Vec<NodeId> = snapshot.everything().nodes().collect();
    for of in nodes.windows(1).chain(nodes.windows(2)) {
        let held = retainers_by_titles(&snapshot, &titles, of, options).unwrap();
        held.path
            .iter()
            .for_each(|path| is_shown(&path.to_string()));
        let words = |row: &ObjectRow| is_shown(&row.words.to_string());
        held.object.iter().for_each(words);
        if let Some(title) = titles.title(of[0]).unwrap() {
            is_shown(&title.name.to_string());
        }
    }
}

/// The question about growth to which forged bytes are asked for the answer.
pub fn question() -> GrowthQuestion {
    GrowthQuestion {
        earlier: vec![1, 2],
        most: 20,
    }
}

fn is_shown(text: &str) {
    assert!(text.chars().all(is_printable), "{text:?}");
}

fn are_shown<'a, S: Display + 'a>(sentences: impl IntoIterator<Item = &'a Option<S>>) {
    for sentence in sentences.into_iter().flatten() {
        is_shown(&sentence.to_string());
    }
}

fn show_top(table: &TopTable) {
    for (by, rows) in GroupOrder::ALL.into_iter().zip([20, 3, usize::MAX, 1]) {
        let Some(top) = table.answer(by, rows) else {
            continue;
        };
        are_shown([&top.verdict, &top.ledger.verdict]);
        for row in &top.groups {
            is_shown(&row.name.to_string());
            is_shown(&row.example.to_string());
            let coroutine = row.coroutine.as_ref().map(|row| row.words.clone());
            are_shown([&row.example_is, &coroutine]);
        }
        assert!(table.bytes().is_ok());
    }
}

fn show_info(info: &Info) {
    are_shown([&info.ledger().verdict]);
    info.state_name.iter().for_each(|name| is_shown(name));
    is_shown(&info.census.vm);
    let strings = info.waste.strings.iter().flat_map(|list| &list.top);
    for row in strings {
        is_shown(&row.text.to_string());
        is_shown(&row.example.to_string());
    }
    let tables = info.waste.tables.iter().flat_map(|list| &list.top);
    tables.for_each(|row| is_shown(&row.path.to_string()));
    for row in &info.weak_tables {
        is_shown(&row.path.to_string());
        are_shown([&row.what, &Some(row.words.clone())]);
    }
    for rows in [0, 3, usize::MAX] {
        let first = info.clone().first(rows);
        assert!(first.is_none_or(|info| info.weak_tables.len() <= rows));
    }
    assert!(info.bytes().is_ok());
}

fn show_growth(answer: &GrowthAnswer) {
    is_shown(&answer.verdict.to_string());
    assert_eq!(answer.sizes.len(), question().earlier.len() + 1);
    for row in answer.changed.iter().chain(&answer.growing) {
        is_shown(&row.name.to_string());
        is_shown(&row.example.to_string());
        are_shown([&row.example_is]);
    }
    for suspect in &answer.suspects {
        is_shown(&suspect.point.to_string());
        are_shown([&suspect.point_is, &suspect.held_by, &suspect.example_is]);
        assert_eq!(answer.rows_of(suspect).count(), suspect.groups.len());
    }
    assert!(answer.changed_count >= answer.changed.len());
}

/// Any bytes as a snapshot file.
pub fn bytes(bytes: &[u8]) {
    answers(bytes);
    let _ = read_snapshot(bytes);
    let mut repaired = bytes.to_vec();
    repair_checksums(&mut repaired);
    if let Ok(snapshot) = read_snapshot(&repaired) {
        run_all_with(&snapshot, &snapshot);
    }
}

/// Bytes as the columns of a snapshot file, compressed and with the right checksums.
///
/// A section is its number, its encoding, its number of values, its number of bytes (a byte each),
/// and those bytes.
pub fn contents(bytes: &[u8]) {
    let mut parts = Parts {
        format: 1,
        least_reader: 1,
        writer: "0.1.0".to_owned(),
        sections: Vec::new(),
    };
    let mut rest = bytes;
    while let Some((part, behind)) = section(rest) {
        parts.sections.push(part);
        rest = behind;
    }
    if let Ok(snapshot) = read_snapshot(&parts.file()) {
        run_all_with(&snapshot, &snapshot);
    }
}

/// Returns the first section of `bytes`, and the rest.
fn section(bytes: &[u8]) -> Option<(Part, &[u8])> {
    let (head, behind) = bytes.split_at_checked(4)?;
    let (block, behind) = behind.split_at(behind.len().min(usize::from(head[3])));
    let part = Part {
        number: u16::from(head[0]),
        encoding: head[1],
        flags: 0,
        count: u64::from(head[2]),
        blocks: vec![block.to_vec()],
    };
    Some((part, behind))
}

/// Bytes as the argument of `luasnap path`: they mean the same raw and as they are shown, and the
/// answer can be shown.
pub fn words(bytes: &[u8]) {
    static ASKED: LazyLock<Snapshot> = LazyLock::new(|| {
        let file = include_bytes!("../../../../fuzz/seeds/bytes/everything.luasnap");
        read_snapshot(file).expect("a snapshot")
    });
    let mean = |word: &[u8]| match resolve(&ASKED, word) {
        Ok(query) => Ok((
            std::mem::discriminant(&query),
            query.nodes(&ASKED).expect("its objects"),
        )),
        Err(error) => {
            let message = error.to_string();
            assert!(message.chars().all(is_printable), "{message:?}");
            Err(message)
        }
    };
    let shown = printable(bytes);
    assert!(shown.chars().all(is_printable), "{shown:?}");
    // White space around an address is escaped when it is shown, and then no longer white space.
    if address_of(bytes).is_none() {
        assert_eq!(mean(bytes), mean(shown.as_bytes()));
    }
}
