//! What the fuzz targets of `fuzz/` do with their bytes; ordinary tests do the same with their
//! seeds.

use crate::all_analyses::run_all_with;
use crate::file_parts::{Part, Parts, repair_checksums};
use luasnap_format::{TopTable, address_of, printable, read_snapshot, resolve};
use luasnap_heap::{GroupOrder, Snapshot, is_printable};
use std::sync::LazyLock;

/// Any bytes as the answers that a file keeps: what is read of them is shown like anything else.
pub fn answers(bytes: &[u8]) {
    let Some(table) = TopTable::from_bytes(bytes) else {
        return;
    };
    let is_shown = |text: &str| assert!(text.chars().all(is_printable), "{text:?}");
    for (by, rows) in GroupOrder::ALL.into_iter().zip([20, 3, usize::MAX, 1]) {
        let Some(top) = table.answer(by, rows) else {
            continue;
        };
        let sentences = [&top.verdict, &top.ledger.verdict];
        for sentence in sentences.into_iter().flatten() {
            is_shown(&sentence.to_string());
        }
        for row in &top.groups {
            is_shown(&row.name.to_string());
            is_shown(&row.example.to_string());
            let coroutine = row.coroutine.as_ref().map(|row| &row.words);
            for sentence in row.example_is.iter().chain(coroutine) {
                is_shown(&sentence.to_string());
            }
        }
        assert!(table.bytes().is_ok());
    }
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
