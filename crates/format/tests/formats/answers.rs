//! Answers that are kept in snapshot files.

use crate::file_parts::{Parts, section};
use crate::fuzzed;
use crate::luasnap::saved;
use crate::random_heap::{recipe, sample_of_everything, sample_with_threads};
use luasnap_format::{
    FileIdentity, SaveOptions, TopTable, add_answers, open_snapshot, read_snapshot, stored_answers,
    top,
};
use luasnap_heap::{GroupOrder, Snapshot};
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

/// Expects that a kept table answers as the snapshot does.
fn expect_same_answers(snapshot: &Snapshot) {
    let table = TopTable::from_bytes(&kept(snapshot)).unwrap();
    for by in GroupOrder::ALL {
        for rows in [0, 1, 2, 7, 20] {
            let expected = serde_json::to_value(top(snapshot, by, rows).unwrap()).unwrap();
            let answer = serde_json::to_value(table.answer(by, rows).unwrap()).unwrap();
            assert_eq!(answer, expected, "{by:?} {rows}");
        }
        let all = table.answer(by, usize::MAX);
        let has_all = all.is_some_and(|all| all.groups.len() <= 20);
        assert!(has_all || snapshot.groups().unwrap().groups().len() > 20);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn kept_answers_are_those_of_the_heap(recipe in recipe(60)) {
        expect_same_answers(&recipe.snapshot());
    }
}

#[test]
fn kept_answers_are_those_of_the_heap_whatever_it_has() {
    expect_same_answers(&sample_of_everything());
    expect_same_answers(&sample_with_threads());
}

#[test]
fn forged_answers_are_shown_or_refused() {
    for snapshot in [sample_of_everything(), sample_with_threads()] {
        let whole = kept(&snapshot);
        for at in 0..whole.len() {
            assert!(TopTable::from_bytes(&whole[..at]).is_none());
            for change in [0x01, 0x1b, 0x80, 0xff] {
                let mut forged = whole.clone();
                forged[at] ^= change;
                fuzzed::answers(&forged);
            }
        }
        let mut longer = whole;
        longer.push(0);
        assert!(TopTable::from_bytes(&longer).is_none());
    }
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

fn add(path: &Path, answers: &[u8]) -> bool {
    add_answers(path, FileIdentity::of(path).unwrap(), answers).unwrap()
}

#[test]
fn a_file_has_its_answers_and_all_else_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    fs::File::open(&path).unwrap().set_modified(time).unwrap();
    let before = Parts::of(&fs::read(&path).unwrap());
    assert_eq!(stored_answers(&path), None);

    let answers = [kept(&sample_of_everything()), b"others".to_vec()];
    for answers in &answers {
        assert!(add(&path, answers));
        assert_eq!(stored_answers(&path).as_ref(), Some(answers));
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
fn sections_that_are_not_known_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    let mut parts = Parts::of(&fs::read(&path).unwrap());
    let mut unknown = parts.sections[0].clone();
    (unknown.number, unknown.flags) = (900, 1);
    parts.sections.push(unknown.clone());
    fs::write(&path, parts.file()).unwrap();
    assert!(add(&path, b"answers"));
    let parts = Parts::of(&fs::read(&path).unwrap());
    assert!(parts.sections.contains(&unknown));
    assert_eq!(stored_answers(&path).as_deref(), Some(&b"answers"[..]));
}

#[test]
fn answers_of_another_heap_or_damaged_ones_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    assert!(add(&path, b"answers"));
    let whole = fs::read(&path).unwrap();
    let mut parts = Parts::of(&whole);
    parts.section(section::SIZES).blocks[0][1] ^= 1;
    fs::write(&path, parts.file()).unwrap();
    assert!(read_snapshot(&parts.file()).is_ok());
    assert_eq!(stored_answers(&path), None);

    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(stored_answers(&path), None, "{at}");
        assert!(read_snapshot(&damaged).is_err(), "{at}");
        fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(stored_answers(&path), None, "{at}");
    }
}

#[test]
fn files_of_others_and_what_changed_meanwhile_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = file_in(folder.path());
    let before = fs::read(&path).unwrap();
    let was = FileIdentity::of(&path).unwrap();

    fs::hard_link(&path, folder.path().join("other name")).unwrap();
    assert!(!add(&path, b"answers"));
    fs::remove_file(folder.path().join("other name")).unwrap();

    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(!add(&path, b"answers"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);

    // A link still leads to the file.
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(add(&link, b"answers"));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(stored_answers(&path).as_deref(), Some(&b"answers"[..]));

    // Another one has taken its place.
    fs::write(folder.path().join("new"), &before).unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    assert!(!add_answers(&path, was, b"answers").unwrap());
    assert_eq!(stored_answers(&path), None);
    assert_eq!(FileIdentity::of(folder.path()), None);
    assert_eq!(stored_answers(folder.path()), None);
}
