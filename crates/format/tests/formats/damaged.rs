//! Snapshot files that are damaged, cut off, foreign, newer, or malicious: always an error that
//! says what is wrong, and never a panic or another heap.

use crate::all_analyses::run_all_with;
use crate::file_parts::{Parts, section};
use crate::fixture::{Disk, is_full, sample};
use crate::luasnap::saved;
use crate::random_heap::{recipe, sample_of_everything, sample_with_threads};
use luasnap_format::{LoadError, SaveOptions, open_snapshot, read_snapshot, write_snapshot};
use luasnap_heap::Snapshot;
use proptest::prelude::*;
use std::path::Path;

fn small_file() -> Vec<u8> {
    saved(&sample_of_everything(), SaveOptions::default())
}

/// Returns why the bytes cannot be read.
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
            // All values in the header and the table, and a few in compressed bytes.
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
    // A newer format that only adds to this one is read.
    read_snapshot(&parts.file()).unwrap();
    parts.least_reader = 3;
    assert_eq!(
        error(&parts.file()),
        format!(
            "it was written by luasnap 1.2.0 in format 3; this luasnap {} reads formats up to 2: \
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
        "its table of sections makes no sense: section 999 is unknown and may not be skipped"
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
                "its table of sections makes no sense: a file of this length cannot have that much in it"
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
    // 4 MiB of zeros, far more than the table says.
    let mut parts = whole.clone();
    parts.section(section::NAME_BYTES).blocks = vec![vec![0; 1 << 20]; 4];
    assert_eq!(
        error(&parts.file()),
        "its section of names makes no sense: it is longer or shorter than the table says"
    );
}

/// Forged values of a section of [`sample`]'s file. The file has 5 nodes (the synthetic root, the
/// table `tbl`, and the tables `d`, `d.aa` and `a` below it), 4 edges and 5 names (the empty one
/// and one for each edge).
struct Forged {
    section: u16,
    count: u64,
    block: Vec<u8>,
}

/// Kinds as numbers in a file.
mod kind {
    pub const ROOT: u8 = 0;
    pub const TABLE: u8 = 1;
    /// The first number that stands for no kind.
    pub const UNKNOWN: u8 = 12;
}

/// Tags and strengths of labels, as the upper 6 bits of a label have them.
mod head {
    pub const FIELD: u8 = 0;
    pub const OBJECT: u8 = 3;
    pub const LARGE: u8 = 15;
    pub const UNKNOWN_TAG: u8 = 12;
    pub const UNKNOWN_STRENGTH: u8 = 4 << 4;
}

/// The meaning of a run's order, as a number in a file.
mod order {
    pub const NEWEST_FIRST: u64 = 1;
    pub const UNKNOWN: u64 = 3;
}

impl Forged {
    fn kinds(kinds: &[u8]) -> Forged {
        Forged {
            section: section::KINDS,
            count: kinds.len() as u64,
            block: kinds.to_vec(),
        }
    }

    /// Five equal addresses, whose differences are shifted by `shift` bits.
    fn addresses_shifted_by(shift: u8) -> Forged {
        let (planes, first) = (0, [0; 8]);
        Forged {
            section: section::ADDRESSES,
            count: 5,
            block: [&[planes, shift][..], &first].concat(),
        }
    }

    /// Numbers of at most one byte each, as byte planes.
    fn plane(section: u16, numbers: &[u8]) -> Forged {
        Forged {
            section,
            count: numbers.len() as u64,
            block: [&[1], numbers].concat(),
        }
    }

    /// By node: its source, as the difference to that of the previous node of the same kind.
    fn sources(differences: [i8; 5]) -> Forged {
        Forged::plane(section::SOURCES, &differences.map(folded))
    }

    fn edge_counts(counts: [u8; 5]) -> Forged {
        Forged::plane(section::EDGE_COUNTS, &counts)
    }

    /// By edge: its target, as the difference to a guess, which is the edge's own node at first.
    fn targets(differences: [i8; 4]) -> Forged {
        Forged::plane(section::TARGETS, &differences.map(folded))
    }

    /// By edge: its label. The payload of the first one is given, that of the others is 0.
    fn labels(heads: [u8; 4], first_payload: i8) -> Forged {
        let payloads = [folded(first_payload), 0, 0, 0];
        Forged {
            section: section::LABELS,
            count: 4,
            block: [&[1][..], &heads, &payloads].concat(),
        }
    }

    fn name_lengths(lengths: [u8; 5]) -> Forged {
        Forged::plane(section::NAME_LENGTHS, &lengths)
    }

    /// Rows of 64-bit numbers.
    fn rows<const LEN: usize>(section: u16, rows: &[[u64; LEN]]) -> Forged {
        Forged {
            section,
            count: rows.len() as u64,
            block: rows.iter().flat_map(|numbers| row(numbers)).collect(),
        }
    }

    /// Rows: the first node of a run, and the meaning of its order.
    fn runs(rows: &[[u64; 2]]) -> Forged {
        Forged::rows(section::RUNS, rows)
    }

    /// Rows: a marker's address, the node at its place, the number of its run.
    fn marks(rows: &[[u64; 3]]) -> Forged {
        Forged::rows(section::MARKS, rows)
    }

    /// Rows: a node and its size.
    fn large_sizes(rows: &[[u64; 2]]) -> Forged {
        Forged::rows(section::LARGE_SIZES, rows)
    }

    /// Rows: a node, the slots of its array part, those in use, the same of its hash part.
    fn sparse_tables(rows: &[[u64; 5]]) -> Forged {
        Forged::rows(section::SPARSE_TABLES, rows)
    }

    /// Rows: a thread and what it is doing.
    fn threads(rows: &[[u64; 9]]) -> Forged {
        Forged::rows(section::THREADS, rows)
    }

    /// Rows: code, the line where it ends, the number of its upvalues.
    fn loaded_code(rows: &[[u64; 3]]) -> Forged {
        Forged::rows(section::LOADED_CODE, rows)
    }

    /// Asserts that a file with this section is refused with this message.
    #[track_caller]
    fn assert_refused(self, expected: &str) {
        let mut parts = Parts::of(&saved(&sample(), SaveOptions::default()));
        if !parts
            .sections
            .iter()
            .any(|part| part.number == self.section)
        {
            let mut part = parts.section(section::KINDS).clone();
            part.number = self.section;
            parts.sections.push(part);
        }
        let part = parts.section(self.section);
        (part.count, part.blocks) = (self.count, vec![self.block]);
        assert_eq!(error(&parts.file()), expected);
    }
}

/// A row of 64-bit numbers.
fn row(numbers: &[u64]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

/// A difference as it is in files: 0, 1, 2, 3, 4 stand for 0, -1, 1, -2, 2.
fn folded(difference: i8) -> u8 {
    (difference << 1 ^ difference >> 7) as u8
}

#[test]
fn forged_sections_belong_to_a_file_of_five_nodes_and_four_edges() {
    let heap = sample();
    assert_eq!(heap.everything().node_count(), 5);
    assert_eq!(heap.everything().edge_count(), 4);
}

#[test]
fn a_kind_that_is_unknown_assert_refused() {
    use kind::{ROOT, TABLE, UNKNOWN};
    Forged::kinds(&[ROOT, TABLE, TABLE, UNKNOWN, TABLE])
        .assert_refused("its section of kinds makes no sense: a kind is wrong");
}

#[test]
fn a_second_root_assert_refused() {
    use kind::{ROOT, TABLE};
    Forged::kinds(&[ROOT, TABLE, ROOT, TABLE, TABLE]).assert_refused(
        "its heap makes no sense: the first object, and no other one, must be the root",
    );
}

#[test]
fn a_heap_without_a_root_assert_refused() {
    Forged::kinds(&[kind::TABLE; 5]).assert_refused(
        "its heap makes no sense: the first object, and no other one, must be the root",
    );
}

#[test]
fn more_addresses_than_kinds_are_refused() {
    use kind::{ROOT, TABLE};
    Forged::kinds(&[ROOT, TABLE, TABLE, TABLE])
        .assert_refused("its heap makes no sense: there are 5 addresses instead of 4");
}

#[test]
fn a_shift_by_all_bits_of_an_address_assert_refused() {
    Forged::addresses_shifted_by(64)
        .assert_refused("its section of addresses makes no sense: a shift is wrong");
}

#[test]
fn a_source_that_is_no_name_assert_refused() {
    Forged::sources([0, 0, 0, 100, 0]).assert_refused(
        "its heap makes no sense: number 3 of the sources refers to something that does not exist",
    );
}

#[test]
fn more_edges_by_node_than_targets_are_refused() {
    Forged::edge_counts([1, 2, 1, 1, 0])
        .assert_refused("its heap makes no sense: there are 4 targets instead of 5");
}

#[test]
fn fewer_edges_by_node_than_targets_are_refused() {
    Forged::edge_counts([1, 2, 0, 0, 0]).assert_refused(
        "its section of targets makes no sense: it is longer or shorter than the table says",
    );
}

#[test]
fn a_target_that_is_no_node_assert_refused() {
    Forged::targets([100, 0, 0, 0]).assert_refused(
        "its heap makes no sense: number 0 of the targets refers to something that does not exist",
    );
}

#[test]
fn an_edge_to_the_root_assert_refused() {
    Forged::targets([0, 0, 0, 0]).assert_refused(
        "its heap makes no sense: number 0 of the targets refers to something that does not exist",
    );
}

#[test]
fn a_tag_that_is_unknown_assert_refused() {
    use head::{FIELD, UNKNOWN_TAG};
    Forged::labels([UNKNOWN_TAG, FIELD, FIELD, FIELD], 0)
        .assert_refused("its section of labels makes no sense: a label is wrong");
}

#[test]
fn a_strength_that_is_unknown_assert_refused() {
    use head::{FIELD, UNKNOWN_STRENGTH};
    Forged::labels([UNKNOWN_STRENGTH | FIELD, FIELD, FIELD, FIELD], 0)
        .assert_refused("its section of labels makes no sense: a label is wrong");
}

#[test]
fn a_field_without_its_name_assert_refused() {
    let hundredth_name = 100;
    Forged::labels([head::FIELD; 4], hundredth_name).assert_refused(
        "its heap makes no sense: number 0 of the labels refers to something that does not exist",
    );
}

#[test]
fn a_key_that_is_no_node_assert_refused() {
    use head::{FIELD, OBJECT};
    let first_missing_node = 5;
    Forged::labels([OBJECT, FIELD, FIELD, FIELD], first_missing_node).assert_refused(
        "its heap makes no sense: number 0 of the labels refers to something that does not exist",
    );
}

#[test]
fn a_large_label_that_is_missing_assert_refused() {
    use head::{FIELD, LARGE};
    Forged::labels([LARGE, FIELD, FIELD, FIELD], 0).assert_refused(
        "its heap makes no sense: number 0 of the labels refers to something that does not exist",
    );
}

#[test]
fn a_name_that_is_longer_than_all_names_assert_refused() {
    Forged::name_lengths([0, 3, 1, 2, 100])
        .assert_refused("its section of names' lengths makes no sense: a length is wrong");
}

#[test]
fn a_first_name_that_is_not_empty_assert_refused() {
    Forged::name_lengths([1, 2, 1, 2, 1])
        .assert_refused("its section of names' lengths makes no sense: a length is wrong");
}

#[test]
fn runs_out_of_order_are_refused() {
    use order::NEWEST_FIRST;
    Forged::runs(&[[3, NEWEST_FIRST], [1, NEWEST_FIRST]])
        .assert_refused("its heap makes no sense: the runs are out of order");
}

#[test]
fn a_run_behind_the_last_node_assert_refused() {
    Forged::runs(&[[6, order::NEWEST_FIRST]]).assert_refused(
        "its heap makes no sense: number 0 of the runs refers to something that does not exist",
    );
}

#[test]
fn a_run_of_an_unknown_order_assert_refused() {
    Forged::runs(&[[1, order::UNKNOWN]])
        .assert_refused("its section of runs makes no sense: a row is wrong");
}

#[test]
fn a_run_at_a_node_of_more_than_32_bits_assert_refused() {
    Forged::runs(&[[1 << 32, order::NEWEST_FIRST]])
        .assert_refused("its section of runs makes no sense: a row is wrong");
}

#[test]
fn a_marker_in_a_run_that_is_missing_assert_refused() {
    let (address, place, run) = (16, 1, 0);
    Forged::marks(&[[address, place, run]]).assert_refused(
        "its heap makes no sense: number 0 of the marks refers to something that does not exist",
    );
}

#[test]
fn a_large_size_of_a_node_with_a_size_of_its_own_assert_refused() {
    Forged::large_sizes(&[[1, 1 << 40]]).assert_refused(
        "its heap makes no sense: number 0 of the large sizes refers to something that does not exist",
    );
}

#[test]
fn a_sparse_table_that_is_no_table_assert_refused() {
    let root = 0;
    Forged::sparse_tables(&[[root, 4, 1, 4, 1]]).assert_refused(
        "its heap makes no sense: number 0 of the sparse tables is not a sparse table",
    );
}

#[test]
fn a_sparse_table_with_more_slots_in_use_than_it_has_assert_refused() {
    let (slots, used) = (4, 5);
    Forged::sparse_tables(&[[1, slots, used, 4, 1]]).assert_refused(
        "its heap makes no sense: number 0 of the sparse tables is not a sparse table",
    );
}

#[test]
fn a_sparse_table_that_comes_twice_assert_refused() {
    let row = [2, 4, 1, 4, 1];
    Forged::sparse_tables(&[row, row])
        .assert_refused("its heap makes no sense: the sparse tables are out of order");
}

#[test]
fn a_thread_that_makes_no_sense_is_refused() {
    let table = 1;
    let good = [table, 1, 0, 0, 0, 0, 0, 0, 0];
    let with = |at: usize, value: u64| {
        let mut row = good;
        row[at] = value;
        Forged::threads(&[row])
    };
    for node in [table, 0, 999] {
        with(0, node).assert_refused(
            "its heap makes no sense: number 0 of the threads refers to something that does not exist",
        );
    }
    for (at, value) in [
        (0, 1 << 32),
        (1, 6),
        (1, 256),
        (3, 1 << 32),
        (4, 1 << 40),
        (7, u64::MAX),
    ] {
        with(at, value).assert_refused("its section of threads makes no sense: a row is wrong");
    }
}

#[test]
fn loaded_code_that_makes_no_sense_is_refused() {
    let table = 1;
    for node in [table, 0, 999] {
        Forged::loaded_code(&[[node, 1, 1]]).assert_refused(
            "its heap makes no sense: number 0 of the loaded code refers to something that does not exist",
        );
    }
    for row in [[1 << 32, 1, 1], [2, 1 << 32, 1], [2, 1, 256]] {
        Forged::loaded_code(&[row])
            .assert_refused("its section of loaded code makes no sense: a row is wrong");
    }
}

#[test]
fn a_reader_that_does_not_know_threads_and_loaded_code_may_skip_them() {
    let file = saved(&sample_with_threads(), SaveOptions::default());
    let mut parts = Parts::of(&file);
    for number in [section::THREADS, section::LOADED_CODE] {
        assert_eq!(parts.section(number).flags, 1);
        parts.sections.retain(|part| part.number != number);
    }
    let snapshot = read_snapshot(&parts.file()).unwrap();
    let heap = snapshot.everything();
    assert!(heap.threads().is_empty() && heap.loaded_code().is_empty());
    let snapshot = read_snapshot(&file).unwrap();
    let heap = snapshot.everything();
    assert_eq!((heap.threads().len(), heap.loaded_code().len()), (1, 2));
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
        "its heap makes no sense: the sizes of the objects add up to 2^63 bytes or more"
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

/// A change to the contents of a file.
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
    /// A section claims another number of values.
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
        // The checksums are right, but the section is not compressed at all.
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
