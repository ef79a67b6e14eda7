//! Answers that are kept in snapshot files.

use crate::file_parts::{Parts, section};
use crate::fuzzed;
use crate::luasnap::saved;
use crate::random_heap::{recipe, sample_of_everything, sample_with_threads};
use luasnap_format::{
    FileAnswers, FileIdentity, GroupTitles, GrowthAnswer, GrowthQuestion, Info, NewAnswers,
    RetainersOptions, SaveOptions, TopTable, add_answers, growth, open_snapshot, read_snapshot,
    retainers, retainers_by_titles, top,
};
use luasnap_heap::{GroupOrder, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Returns the table of a snapshot, as it is kept.
fn kept(snapshot: &Snapshot) -> Vec<u8> {
    TopTable::new(snapshot, TopTable::STORED)
        .unwrap()
        .bytes()
        .unwrap()
}

fn json(answer: impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(answer).unwrap()
}

/// Expects that what is kept answers as the snapshot does.
fn expect_same_answers(snapshot: &Snapshot) {
    let table = TopTable::from_bytes(&kept(snapshot)).unwrap();
    for by in GroupOrder::ALL {
        for rows in [0, 1, 2, 7, 20] {
            let expected = json(top(snapshot, by, rows).unwrap());
            assert_eq!(
                json(table.answer(by, rows).unwrap()),
                expected,
                "{by:?} {rows}"
            );
        }
        let all = table.answer(by, usize::MAX);
        let has_all = all.is_some_and(|all| all.groups.len() <= 20);
        assert!(has_all || snapshot.groups().unwrap().groups().len() > 20);
    }
    let info = Info::new(snapshot, Info::STORED).unwrap();
    let info = Info::from_bytes(&info.bytes().unwrap()).unwrap();
    for rows in [0, 1, 3, 20] {
        let expected = Info::new(snapshot, rows).unwrap();
        let answer = info.clone().first(rows).unwrap();
        assert_eq!(json(&answer), json(&expected), "{rows}");
        assert_eq!(answer.state_name, expected.state_name);
        assert_eq!(answer.census.blocks, expected.census.blocks);
        assert_eq!(answer.census.coroutines, expected.census.coroutines);
        assert_eq!(answer.census.kinds, expected.census.kinds);
    }
}

/// Expects that what is kept of a comparison is what it found.
fn expect_same_growth(snapshots: &[&Snapshot]) {
    let Ok(answer) = growth(snapshots, 20) else {
        return;
    };
    let question = question(snapshots.len());
    let kept = FileAnswers::new(1, &[]).bytes_with(&of_growth(&question, &answer));
    let kept = FileAnswers::new(1, &kept.unwrap());
    assert_eq!(json(kept.growth(&question).unwrap()), json(&answer));
    // What counts as small, and what a suspect has, depends on the number of rows.
    let fewer = GrowthQuestion {
        most: 19,
        ..question
    };
    assert!(kept.growth(&fewer).is_none());
    let others = GrowthQuestion {
        earlier: vec![0; snapshots.len() - 1],
        most: 20,
    };
    assert!(kept.growth(&others).is_none());
}

/// A question about the growth of so many snapshots.
fn question(snapshots: usize) -> GrowthQuestion {
    GrowthQuestion {
        earlier: (1..snapshots as u64).collect(),
        most: 20,
    }
}

fn of_growth<'a>(question: &'a GrowthQuestion, answer: &'a GrowthAnswer) -> NewAnswers<'a> {
    NewAnswers {
        growth: Some((question, answer)),
        ..NewAnswers::default()
    }
}

/// Keeps the trees of a snapshot that is read from a file, and the titles of its groups.
fn found(read: &Snapshot) -> FileAnswers {
    read.everything_tree().unwrap();
    read.dominators().unwrap();
    read.groups().unwrap();
    let new = NewAnswers {
        found: Some(read),
        ..NewAnswers::default()
    };
    let bytes = FileAnswers::new(1, &[]).bytes_with(&new).unwrap();
    FileAnswers::new(1, &bytes)
}

/// Expects that what keeps objects alive is told by what is kept of the trees as by the trees.
fn expect_same_retainers(snapshot: &Snapshot) {
    let file = saved(snapshot, SaveOptions::default());
    let read = read_snapshot(&file).unwrap();
    let kept = found(&read);
    let again = read_snapshot(&file).unwrap();
    assert!(kept.put_trees(&again));
    let titles = kept.titles(&again).unwrap();
    let options = RetainersOptions {
        retainers: 10,
        paths: 5,
    };
    let nodes: Vec<NodeId> = read.everything().nodes().skip(1).collect();
    for of in nodes.windows(1).chain(nodes.windows(2)) {
        let expected = json(retainers(&read, of, options).unwrap());
        let answer = retainers_by_titles(&again, &titles, of, options);
        assert_eq!(json(answer.unwrap()), expected, "{of:?}");
        assert_eq!(titles.title(of[0]).unwrap(), read.title(of[0]).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn kept_trees_tell_what_keeps_objects_alive(recipe in recipe(40)) {
        expect_same_retainers(&recipe.snapshot());
    }

    #[test]
    fn kept_answers_are_those_of_the_heap(recipes in [recipe(60), recipe(60), recipe(60)]) {
        let snapshots = recipes.map(|recipe| recipe.snapshot());
        expect_same_answers(&snapshots[0]);
        expect_same_growth(&[&snapshots[0], &snapshots[1]]);
        expect_same_growth(&snapshots.each_ref());
    }
}

#[test]
fn kept_answers_are_those_of_the_heap_whatever_it_has() {
    let [one, other] = [sample_of_everything(), sample_with_threads()];
    expect_same_answers(&one);
    expect_same_answers(&other);
    expect_same_retainers(&one);
    expect_same_retainers(&other);
    expect_same_growth(&[&one, &one]);
    expect_same_growth(&[&other, &other]);
}

/// A heap tells the same whether it was captured or read: what `attach` keeps is what a later question finds.
#[test]
fn the_summary_does_not_depend_on_who_makes_it() {
    for snapshot in [sample_of_everything(), sample_with_threads()] {
        let read = read_snapshot(&saved(&snapshot, SaveOptions::default())).unwrap();
        let [captured, read] = [snapshot, read].map(|of| Info::new(&of, 20).unwrap());
        assert_eq!(captured.bytes().unwrap(), read.bytes().unwrap());
    }
}

/// Expects that each change of these bytes is refused or shown like anything else.
fn forge(whole: &[u8], is_known: impl Fn(&[u8]) -> bool) {
    assert!(is_known(whole));
    for at in 0..whole.len() {
        assert!(!is_known(&whole[..at]), "{at}");
        for change in [0x01, 0x1b, 0x80, 0xff] {
            let mut forged = whole.to_vec();
            forged[at] ^= change;
            fuzzed::answers(&forged);
        }
    }
    let mut longer = whole.to_vec();
    longer.push(0);
    assert!(!is_known(&longer));
}

#[test]
fn forged_answers_are_shown_or_refused() {
    for snapshot in [sample_of_everything(), sample_with_threads()] {
        forge(&kept(&snapshot), |bytes| {
            TopTable::from_bytes(bytes).is_some()
        });
        let info = Info::new(&snapshot, Info::STORED).unwrap();
        forge(&info.bytes().unwrap(), |bytes| {
            Info::from_bytes(bytes).is_some()
        });
    }
}

#[test]
fn forged_trees_and_titles_are_shown_or_refused() {
    let snapshot = fuzzed::snapshot();
    let whole = found(&snapshot).bytes_with(&NewAnswers::default()).unwrap();
    let fresh = Snapshot::new(snapshot.everything().clone());
    forge(&whole, |bytes| {
        let kept = FileAnswers::new(1, bytes);
        kept.put_trees(&fresh) && kept.titles(&fresh).is_some()
    });
}

#[test]
fn forged_growth_is_shown_or_refused() {
    let snapshots = growing_sample();
    let answer = growth(&snapshots.each_ref(), 20).unwrap();
    assert!(!answer.suspects.is_empty());
    let question = fuzzed::question();
    let new = of_growth(&question, &answer);
    let whole = FileAnswers::new(1, &[]).bytes_with(&new).unwrap();
    let is_known = |bytes: &[u8]| FileAnswers::new(1, bytes).growth(&question).is_some();
    forge(&whole, is_known);
}

/// The seed of the fuzz target has all answers as they are kept now; with `LUASNAP_WRITE_SEEDS` it is written.
#[test]
fn the_seed_of_answers_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/bytes/answers");
    let question = fuzzed::question();
    if std::env::var_os("LUASNAP_WRITE_SEEDS").is_some() {
        let snapshot = sample_with_threads();
        let found = fuzzed::snapshot();
        found.groups().unwrap();
        let growth = growth(&growing_sample().each_ref(), 20).unwrap();
        let answers = NewAnswers {
            top: Some(&TopTable::new(&snapshot, (&GroupOrder::ALL, 3)).unwrap()),
            info: Some(&Info::new(&snapshot, 3).unwrap()),
            growth: Some((&question, &growth)),
            found: Some(&found),
        };
        let bytes = FileAnswers::new(1, &[]).bytes_with(&answers).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    let kept = FileAnswers::new(1, &fs::read(&path).unwrap());
    assert!(kept.top().is_some() && kept.info().is_some());
    assert!(kept.growth(&question).is_some());
    let snapshot = fuzzed::snapshot();
    assert!(kept.put_trees(&snapshot) && kept.titles(&snapshot).is_some());
}

/// `_G.cache`, which grows in every step, of 1, 2 and 3 tables.
fn growing_sample() -> [Snapshot; 3] {
    [1, 2, 3].map(|entries| {
        let mut builder = HeapBuilder::new();
        let (globals, _) = builder.node(Kind::Table, 0x10).unwrap();
        let (cache, _) = builder.node(Kind::Table, 0x20).unwrap();
        let root = Label::Root(builder.name(b"_G").unwrap());
        let field = Label::Field(builder.name(b"cache").unwrap());
        builder
            .edge(NodeId::ROOT, globals, root, Strength::Strong)
            .unwrap();
        builder
            .edge(globals, cache, field, Strength::Strong)
            .unwrap();
        for number in 1..=entries {
            let (entry, _) = builder
                .node(Kind::Table, 0x20 + 0x10 * number as u64)
                .unwrap();
            builder.set_size(entry, 100);
            builder
                .edge(cache, entry, Label::Index(number), Strength::Strong)
                .unwrap();
        }
        Snapshot::new(builder.finish().unwrap())
    })
}

/// Writes the sample to a file.
fn file_in(folder: &Path) -> PathBuf {
    let path = folder.join("kept.luasnap");
    fs::write(
        &path,
        saved(&sample_of_everything(), SaveOptions::default()),
    )
    .unwrap();
    path
}

/// An answer about the sample, and another one to the same question.
fn tables() -> [TopTable; 2] {
    let sample = sample_of_everything();
    [20, 3].map(|rows| TopTable::new(&sample, (&GroupOrder::ALL, rows)).unwrap())
}

fn add(path: &Path, table: &TopTable) -> bool {
    let read = FileIdentity::of(path).unwrap();
    add_answers(path, read, &of_top(table)).unwrap()
}

fn of_top(table: &TopTable) -> NewAnswers<'_> {
    NewAnswers {
        top: Some(table),
        ..NewAnswers::default()
    }
}

/// Returns what a file keeps of `top`, as bytes.
fn stored(path: &Path) -> Option<Vec<u8>> {
    let table = FileAnswers::of(path)?.top()?;
    Some(table.bytes().unwrap())
}

#[test]
fn a_file_has_its_answers_and_all_else_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    fs::File::open(&path).unwrap().set_modified(time).unwrap();
    let before = Parts::of(&fs::read(&path).unwrap());
    assert!(FileAnswers::of(&path).unwrap().is_empty());

    for table in &tables() {
        assert!(add(&path, table));
        assert_eq!(stored(&path), Some(table.bytes().unwrap()));
    }
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o640);
    assert_eq!(metadata.modified().unwrap(), time);
    let mut after = Parts::of(&fs::read(&path).unwrap());
    assert_eq!((after.format, after.least_reader), (2, 1));
    after
        .sections
        .retain(|part| part.number != section::ANSWERS);
    assert_eq!(after.sections, before.sections);
    assert_eq!(
        open_snapshot(&path).unwrap().len(),
        sample_of_everything().len()
    );
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_answer_takes_the_place_of_an_older_one_and_of_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    let info = Info::new(&sample_of_everything(), Info::STORED).unwrap();
    let snapshots = growing_sample();
    let answers = [2, 3].map(|count| {
        let of = snapshots[..count].iter().collect::<Vec<_>>();
        (question(count), growth(&of, 20).unwrap())
    });
    let is_added = |new: &NewAnswers<'_>| {
        let read = FileIdentity::of(&path).unwrap();
        add_answers(&path, read, new).unwrap()
    };
    let add = |new: &NewAnswers<'_>| assert!(is_added(new));
    let [table, other] = tables();
    add(&of_top(&other));
    add(&NewAnswers {
        info: Some(&info),
        ..of_top(&table)
    });
    for (question, answer) in &answers {
        add(&of_growth(question, answer));
        // Once more: the file has it.
        assert!(!is_added(&of_growth(question, answer)));
    }
    let kept = FileAnswers::of(&path).unwrap();
    assert_eq!(stored(&path), Some(table.bytes().unwrap()));
    assert_eq!(kept.info().unwrap().bytes().unwrap(), info.bytes().unwrap());
    for (question, answer) in &answers {
        assert_eq!(json(kept.growth(question).unwrap()), json(answer));
    }
    // Of many answers about growth the oldest goes.
    let many: Vec<GrowthQuestion> = (10..14)
        .map(|hash| GrowthQuestion {
            earlier: vec![hash],
            most: 20,
        })
        .collect();
    for question in &many {
        add(&of_growth(question, &answers[0].1));
    }
    let kept = FileAnswers::of(&path).unwrap();
    assert!(many.iter().all(|question| kept.growth(question).is_some()));
    assert!(
        answers
            .iter()
            .all(|(question, _)| kept.growth(question).is_none())
    );
}

#[test]
fn sections_that_are_not_known_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    let mut parts = Parts::of(&fs::read(&path).unwrap());
    let mut unknown = parts.sections[0].clone();
    (unknown.number, unknown.flags) = (900, 1);
    parts.sections.push(unknown.clone());
    fs::write(&path, parts.file()).unwrap();
    let [table, _] = tables();
    assert!(add(&path, &table));
    let parts = Parts::of(&fs::read(&path).unwrap());
    assert!(parts.sections.contains(&unknown));
    assert_eq!(stored(&path), Some(table.bytes().unwrap()));
}

#[test]
fn answers_to_questions_that_are_not_known_stay() {
    let [table, other] = tables();
    let mut newer = Vec::new();
    for number in [2u64, 2, 1, 1, 900, 3] {
        newer.extend_from_slice(&number.to_le_bytes());
    }
    // Of `top` one byte, which no rule has made.
    newer.splice(32..32, [7]);
    newer.extend_from_slice(b"new");
    let newer = FileAnswers::new(1, &newer);
    assert!(!newer.is_empty() && newer.top().is_none());
    for table in [&table, &other] {
        let bytes = newer.bytes_with(&of_top(table)).unwrap();
        assert!(bytes.ends_with(b"new"));
        let after = FileAnswers::new(1, &bytes);
        assert_eq!(
            after.top().unwrap().bytes().unwrap(),
            table.bytes().unwrap()
        );
    }
}

#[test]
fn answers_of_another_heap_or_damaged_ones_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    let [table, _] = tables();
    assert!(add(&path, &table));
    let whole = fs::read(&path).unwrap();
    let mut parts = Parts::of(&whole);
    parts.section(section::SIZES).blocks[0][1] ^= 1;
    fs::write(&path, parts.file()).unwrap();
    assert!(read_snapshot(&parts.file()).is_ok());
    assert!(FileAnswers::of(&path).unwrap().is_empty());

    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(FileAnswers::of(&path), None, "{at}");
        assert!(read_snapshot(&damaged).is_err(), "{at}");
        fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(FileAnswers::of(&path), None, "{at}");
    }
}

#[test]
fn files_of_others_and_what_changed_meanwhile_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    let before = fs::read(&path).unwrap();
    let was = FileIdentity::of(&path).unwrap();
    let [table, _] = tables();

    fs::hard_link(&path, folder.path().join("other name")).unwrap();
    assert!(!add(&path, &table));
    fs::remove_file(folder.path().join("other name")).unwrap();

    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(!add(&path, &table));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);

    // A link still leads to the file.
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(add(&link, &table));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(stored(&path), Some(table.bytes().unwrap()));

    // Another one has taken its place.
    fs::write(folder.path().join("new"), &before).unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    assert!(!add_answers(&path, was, &of_top(&table)).unwrap());
    assert_eq!(stored(&path), None);
    assert_eq!(FileIdentity::of(folder.path()), None);
    assert_eq!(FileAnswers::of(folder.path()), None);
}
