//! Snapshot files that are damaged, cut off, foreign, newer, or made to do harm: always an error
//! that says what is wrong, and never a panic or another heap.

use crate::all_analyses::run_all_with;
use crate::file_parts::{Parts, section};
use crate::fixture::{Disk, is_full, sample};
use crate::luasnap::saved;
use crate::random_heap::{recipe, sample_of_everything};
use luasnap_format::{LoadError, SaveOptions, open_snapshot, read_snapshot, write_snapshot};
use luasnap_heap::Snapshot;
use proptest::prelude::*;
use std::path::Path;

fn small_file() -> Vec<u8> {
    saved(&sample_of_everything(), SaveOptions::default())
}

/// Why it cannot be read.
fn error(bytes: &[u8]) -> String {
    match read_snapshot(bytes) {
        Ok(_) => "it was read".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let file = small_file();
    for at in 0..file.len() {
        for change in 1..=u8::MAX {
            // All values where the file says what it is, and a few in what is compressed.
            if at > 1000 && !matches!(change, 1 | 0x80 | 0xff) {
                continue;
            }
            let mut changed = file.clone();
            changed[at] ^= change;
            let error = error(&changed);
            let expected = ["not a luasnap file", "is damaged: the checksum is wrong"];
            assert!(
                expected.iter().any(|expected| error.contains(expected)),
                "byte {at} by {change:#x}: {error}"
            );
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let file = small_file();
    assert_eq!(error(b""), "it is empty");
    for len in 1..file.len() {
        let Err(LoadError::Truncated {
            bytes, at_least, ..
        }) = read_snapshot(&file[..len])
        else {
            panic!("a file of {len} bytes: {}", error(&file[..len]));
        };
        match at_least {
            true => assert_eq!(len as u64 + bytes, 64),
            false => assert_eq!(len as u64 + bytes, file.len() as u64),
        }
    }
    let cut = |len: usize| error(&file[..len]);
    assert_eq!(
        cut(63),
        "it is cut off in its header: 1 byte or more are missing"
    );
    let missing = file.len() - 64;
    assert_eq!(
        cut(64),
        format!("it is cut off in its table of sections: {missing} bytes are missing")
    );
    let names = [
        "facts",
        "kinds",
        "addresses",
        "targets",
        "labels",
        "names",
        "sparse tables",
    ];
    let parts: Vec<String> = (64..file.len()).map(cut).collect();
    for name in names {
        let part = format!("it is cut off in its section of {name}: ");
        assert!(parts.iter().any(|error| error.starts_with(&part)), "{name}");
    }
}

#[test]
fn what_is_no_snapshot_is_foreign() {
    for bytes in [
        &b"x"[..],
        b"local t = {}",
        b"\x89PNG\r\n\x1a\n",
        b"\x28\xb5\x2f\xfd\x04\x00\x49\x00\x00",
        &[0; 4096],
        &[0xff; 4096],
    ] {
        assert_eq!(error(bytes), "it is not a luasnap file");
    }
}

#[test]
fn bytes_behind_the_end_are_noticed() {
    let mut file = small_file();
    file.extend(b"\r\n");
    assert_eq!(error(&file), "its end makes no sense: something follows it");
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| open_snapshot(path).unwrap_err().to_string();
    let path = folder.path().join("heap.luasnap");
    let expected = |problem: &str| format!("cannot read '{}': {problem}", path.display());
    assert_eq!(open(&path), expected("No such file or directory"));
    let file = small_file();
    for (bytes, problem) in [
        (&b""[..], "it is empty".to_owned()),
        (b"return 1", "it is not a luasnap file".to_owned()),
        (
            &file[..100],
            format!(
                "it is cut off in its table of sections: {} bytes are missing",
                file.len() - 100
            ),
        ),
        (
            &[&file[..], &[0; 1000]].concat(),
            "its end makes no sense: something follows it".to_owned(),
        ),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(open(&path), expected(&problem));
    }
    std::fs::write(&path, &file).unwrap();
    assert_eq!(
        open_snapshot(&path).unwrap().len(),
        sample_of_everything().len()
    );
    assert_eq!(
        open(folder.path()),
        format!("cannot read '{}': Is a directory", folder.path().display())
    );
    assert_eq!(
        open(Path::new("/dev/zero")),
        "cannot read '/dev/zero': it is not a luasnap file"
    );
}

#[test]
fn a_newer_file_says_who_wrote_it_and_who_reads_it() {
    let mut parts = Parts::of(&small_file());
    parts.writer = "1.2.0".to_owned();
    parts.format = 3;
    // What only adds to the format is read.
    read_snapshot(&parts.file()).unwrap();
    parts.least_reader = 2;
    assert_eq!(
        error(&parts.file()),
        format!(
            "it was written by luasnap 1.2.0 in format 3; this luasnap {} reads formats up to 1: \
             use luasnap 1.2.0 or later",
            env!("CARGO_PKG_VERSION")
        )
    );
    // A terminal gets no control characters.
    parts.writer = "\x1b[2J\n1.2".to_owned();
    assert!(error(&parts.file()).contains("by luasnap ?[2J?1.2 in"));
    for (format, least_reader) in [(0, 0), (1, 0), (0, 1)] {
        (parts.format, parts.least_reader) = (format, least_reader);
        assert_eq!(
            error(&parts.file()),
            "its header makes no sense: the version of the format is wrong"
        );
    }
}

#[test]
fn unknown_sections_are_skipped_if_they_may_be() {
    let mut parts = Parts::of(&small_file());
    let mut unknown = parts.section(section::KINDS).clone();
    unknown.number = 999;
    unknown.encoding = 77;
    unknown.flags = 1;
    parts.sections.insert(1, unknown);
    let file = parts.file();
    let snapshot = read_snapshot(&file).unwrap();
    assert_eq!(snapshot.len(), sample_of_everything().len());
    parts.sections[1].flags = 0;
    assert_eq!(
        error(&parts.file()),
        "its table of sections makes no sense: section 999 is unknown and has to be read"
    );
    parts.sections[1].number = section::KINDS;
    assert_eq!(
        error(&parts.file()),
        "its section of kinds makes no sense: its encoding 77 is unknown"
    );
    parts.sections[1].encoding = 1;
    assert_eq!(
        error(&parts.file()),
        "its section of kinds makes no sense: it comes twice"
    );
}

#[test]
fn what_a_file_claims_is_not_believed() {
    let whole = Parts::of(&small_file());
    for at in 0..whole.sections.len() {
        for count in [u64::MAX, 1 << 40, 1 << 32, 100_000_000] {
            let mut parts = whole.clone();
            parts.sections[at].count = count;
            assert_eq!(
                error(&parts.file()),
                "its table of sections makes no sense: so small a file cannot have that much in it"
            );
        }
        let count = whole.sections[at].count;
        for count in [0, count - 1, count + 1, 2 * count + 100] {
            let mut parts = whole.clone();
            parts.sections[at].count = count;
            assert!(
                error(&parts.file()).contains("makes no sense"),
                "{at} {count}"
            );
        }
        let mut parts = whole.clone();
        parts.sections.remove(at);
        let error = error(&parts.file());
        assert!(
            error.contains("makes no sense") || error == "it was read",
            "{error}"
        );
    }
    // A frame that would be 4 GB of zeros.
    let mut parts = whole.clone();
    parts.section(section::NAME_BYTES).blocks = vec![vec![0; 1 << 20]; 4];
    assert_eq!(
        error(&parts.file()),
        "its section of names makes no sense: it is longer or shorter than the table says"
    );
}

/// A block of numbers that have no more than a byte each.
fn plane(numbers: &[u8]) -> Vec<u8> {
    [&[1], numbers].concat()
}

/// A row of 64-bit numbers.
fn row(numbers: &[u64]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

/// Replaces the values of a section of a file that has three tables, a string and a function.
fn with(number: u16, count: u64, block: Vec<u8>) -> String {
    let mut parts = Parts::of(&saved(&sample(), SaveOptions::default()));
    if !parts.sections.iter().any(|part| part.number == number) {
        let mut part = parts.section(section::KINDS).clone();
        part.number = number;
        parts.sections.push(part);
    }
    let part = parts.section(number);
    (part.count, part.blocks) = (count, vec![block]);
    error(&parts.file())
}

#[test]
fn ids_out_of_range_are_errors() {
    let heap = sample();
    // The root, its table, and two tables and one below: so many edges.
    assert_eq!(heap.everything().node_count(), 5);
    assert_eq!(heap.everything().edge_count(), 4);
    let heap_error = |problem: &str| format!("its heap makes no sense: {problem}");
    let wrong =
        |part: &str, what: &str| format!("its section of {part} makes no sense: {what} is wrong");
    use section::*;
    for (number, count, block, expected) in [
        (KINDS, 5, vec![0, 1, 1, 12, 1], wrong("kinds", "a kind")),
        (
            KINDS,
            5,
            vec![0, 1, 0, 1, 1],
            heap_error("the first object, and no other, has to be the root"),
        ),
        (
            KINDS,
            5,
            vec![1; 5],
            heap_error("the first object, and no other, has to be the root"),
        ),
        (
            KINDS,
            4,
            vec![0, 1, 1, 1],
            heap_error("there are 5 addresses where 4 belong"),
        ),
        (
            ADDRESSES,
            5,
            [&[0, 64][..], &[0; 8]].concat(),
            wrong("addresses", "a shift"),
        ),
        (
            SOURCES,
            5,
            plane(&[0, 0, 0, 200, 0]),
            heap_error("number 3 of the sources names what is not there"),
        ),
        (
            EDGE_COUNTS,
            5,
            plane(&[1, 2, 1, 1, 0]),
            heap_error("there are 4 targets where 5 belong"),
        ),
        (
            EDGE_COUNTS,
            5,
            plane(&[1, 2, 0, 0, 0]),
            "its section of targets makes no sense: it is longer or shorter than the table says"
                .to_owned(),
        ),
        (
            TARGETS,
            4,
            plane(&[200, 0, 0, 0]),
            heap_error("number 0 of the targets names what is not there"),
        ),
        (
            TARGETS,
            4,
            plane(&[0, 0, 0, 0]),
            heap_error("number 0 of the targets names what is not there"),
        ),
        (
            LABELS,
            4,
            [&[0][..], &[12, 0, 0, 0]].concat(),
            wrong("labels", "a label"),
        ),
        (
            LABELS,
            4,
            [&[0][..], &[64, 0, 0, 0]].concat(),
            wrong("labels", "a label"),
        ),
        (
            LABELS,
            4,
            [&[1][..], &[0; 4], &[200, 0, 0, 0]].concat(),
            heap_error("number 0 of the labels names what is not there"),
        ),
        (
            LABELS,
            4,
            [&[1][..], &[3, 0, 0, 0], &[10, 0, 0, 0]].concat(),
            heap_error("number 0 of the labels names what is not there"),
        ),
        (
            LABELS,
            4,
            [&[0][..], &[15, 0, 0, 0]].concat(),
            heap_error("number 0 of the labels names what is not there"),
        ),
        (
            NAME_LENGTHS,
            5,
            plane(&[0, 3, 1, 2, 100]),
            wrong("names' lengths", "a length"),
        ),
        (
            NAME_LENGTHS,
            5,
            plane(&[1, 2, 1, 2, 1]),
            wrong("names' lengths", "a length"),
        ),
        (
            RUNS,
            2,
            [row(&[3, 1]), row(&[1, 1])].concat(),
            heap_error("the runs are out of order"),
        ),
        (
            RUNS,
            1,
            row(&[6, 1]),
            heap_error("number 0 of the runs names what is not there"),
        ),
        (RUNS, 1, row(&[1, 3]), wrong("runs", "a row")),
        (RUNS, 1, row(&[1 << 32, 1]), wrong("runs", "a row")),
        (
            MARKS,
            1,
            row(&[16, 1, 0]),
            heap_error("number 0 of the marks names what is not there"),
        ),
        (
            LARGE_SIZES,
            1,
            row(&[1, 1 << 40]),
            heap_error("number 0 of the large sizes names what is not there"),
        ),
        (
            SPARSE_TABLES,
            1,
            row(&[0, 4, 1, 4, 1]),
            heap_error("number 0 of the sparse tables is none"),
        ),
        (
            SPARSE_TABLES,
            1,
            row(&[1, 4, 5, 4, 1]),
            heap_error("number 0 of the sparse tables is none"),
        ),
        (
            SPARSE_TABLES,
            2,
            [row(&[2, 4, 1, 4, 1]), row(&[2, 4, 1, 4, 1])].concat(),
            heap_error("the sparse tables are out of order"),
        ),
    ] {
        assert_eq!(with(number, count, block), expected, "section {number}");
    }
}

#[test]
fn sizes_that_no_memory_has_are_an_error() {
    let mut parts = Parts::of(&saved(&sample(), SaveOptions::default()));
    let all = u64::MAX.to_le_bytes()[..4].to_vec();
    parts.section(section::SIZES).blocks = vec![[vec![4], all.repeat(5)].concat()];
    let mut large = parts.section(section::KINDS).clone();
    large.number = section::LARGE_SIZES;
    (large.count, large.blocks) = (2, vec![row(&[1, 1 << 62, 2, 1 << 62])]);
    parts.sections.push(large);
    assert_eq!(
        error(&parts.file()),
        "its heap makes no sense: the sizes of the objects add up to more than any memory has"
    );
    parts.section(section::LARGE_SIZES).blocks = vec![row(&[1, 1 << 62, 2, 1 << 61])];
    let snapshot = read_snapshot(&parts.file()).unwrap();
    assert_eq!(snapshot.everything().size(luasnap_heap::NodeId(1)), 1 << 62);
    run_all_with(&snapshot, &sample());
    parts.section(section::LARGE_SIZES).blocks = vec![row(&[2, 1 << 61, 1, 1 << 62])];
    assert_eq!(
        error(&parts.file()),
        "its heap makes no sense: the large sizes are out of order"
    );
}

#[test]
fn a_full_disk_is_an_error_wherever_it_is_full() {
    let snapshot = sample_of_everything();
    let len = small_file().len() as u64;
    for room in 0..len {
        let mut disk = Disk::with_room(room);
        let error = write_snapshot(&mut disk, &snapshot, SaveOptions::default()).unwrap_err();
        assert!(is_full(&error), "{error}");
        assert_eq!(disk.taken, room);
    }
    let mut disk = Disk::with_room(len);
    write_snapshot(&mut disk, &snapshot, SaveOptions::default()).unwrap();
    assert_eq!(disk.taken, len);
}

/// A change to what is in a file.
#[derive(Clone, Debug)]
enum Change {
    /// A byte of a block becomes another one.
    Byte {
        section: usize,
        at: usize,
        value: u8,
    },
    /// A block gets longer or shorter.
    Resize {
        section: usize,
        len: usize,
    },
    /// A section says that it has another number of values.
    Count {
        section: usize,
        count: u64,
    },
    /// Two sections are swapped.
    Swap(usize, usize),
    Remove(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let (section, at) = (any::<usize>(), any::<usize>());
    let value = prop_oneof![0..4u8, any::<u8>()];
    prop_oneof![
        12 => (section, at, value).prop_map(|(section, at, value)| Change::Byte {
            section, at, value
        }),
        1 => (section, 0..600usize).prop_map(|(section, len)| Change::Resize {
            section, len
        }),
        1 => (section, 0..200u64).prop_map(|(section, count)| Change::Count {
            section, count
        }),
        1 => (section, section).prop_map(|(a, b)| Change::Swap(a, b)),
        1 => section.prop_map(Change::Remove),
    ]
}

fn apply(parts: &mut Parts, change: &Change) {
    let many = parts.sections.len();
    if many == 0 {
        return;
    }
    match *change {
        Change::Byte { section, at, value } => {
            let block = parts.sections[section % many].blocks.first_mut();
            if let Some(block) = block.filter(|block| !block.is_empty()) {
                let at = at % block.len();
                block[at] = value;
            }
        }
        Change::Resize { section, len } => {
            if let Some(block) = parts.sections[section % many].blocks.first_mut() {
                block.resize(len, 1);
            }
        }
        Change::Count { section, count } => parts.sections[section % many].count = count,
        Change::Swap(a, b) => parts.sections.swap(a % many, b % many),
        Change::Remove(section) => {
            parts.sections.remove(section % many);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_was_changed_with_care_is_an_error_or_a_sound_heap(
        recipe in recipe(20),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let snapshot = recipe.snapshot();
        let mut parts = Parts::of(&saved(&snapshot, SaveOptions::default()));
        for change in &changes {
            apply(&mut parts, change);
        }
        if let Ok(changed) = read_snapshot(&parts.file()) {
            run_all_with(&changed, &snapshot);
        }
    }

    #[test]
    fn a_changed_difference_is_an_error_or_a_sound_one(
        before in recipe(20),
        after in recipe(20),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let (before, after) = (before.snapshot(), after.snapshot());
        let difference = luasnap_heap::increase(&before, &after).unwrap();
        let mut parts = Parts::of(&saved(&difference, SaveOptions::default()));
        for change in &changes {
            apply(&mut parts, change);
        }
        if let Ok(changed) = read_snapshot(&parts.file()) {
            run_all_with(&changed, &before);
        }
    }

    #[test]
    fn random_bytes_are_errors(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(read_snapshot(&bytes).is_err());
        let behind_magic = [b"\x89LUASNAP", &bytes[..]].concat();
        prop_assert!(read_snapshot(&behind_magic).is_err());
    }

    #[test]
    fn random_blocks_are_errors(
        at in 0..20usize,
        bytes in prop::collection::vec(any::<u8>(), 0..500),
    ) {
        let mut parts = Parts::of(&small_file());
        let at = at % parts.sections.len();
        // Right checksums, and in the place of a section what is not compressed at all.
        let mut part = parts.sections[at].clone();
        part.blocks = vec![bytes];
        let encoding = std::mem::replace(&mut part.encoding, 0);
        parts.sections[at] = part;
        let mut file = parts.file();
        file[64 + 32 * at + 2] = encoding;
        crate::file_parts::repair_checksums(&mut file);
        prop_assert!(read_snapshot(&file).is_err());
    }
}

#[test]
fn a_freed_snapshot_is_written_and_read() {
    let nothing = Snapshot::empty();
    let file = saved(&nothing, SaveOptions::default());
    run_all_with(&read_snapshot(&file).unwrap(), &sample());
}
