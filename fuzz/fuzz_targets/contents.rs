//! Bytes as the columns of a snapshot file, compressed and with the right checksums.
//!
//! A section is its number, its encoding, how many values it has, how many bytes follow (a byte
//! each), and those bytes.

#![no_main]

#[path = "../../crates/format/tests/formats/all_analyses.rs"]
mod all_analyses;
#[allow(dead_code)]
#[path = "../../crates/format/tests/formats/file_parts.rs"]
mod file_parts;

use file_parts::{Part, Parts};
use libfuzzer_sys::fuzz_target;
use luasnap_format::read_snapshot;

/// The first section of `bytes`, and what is behind it.
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

fuzz_target!(|bytes: &[u8]| {
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
        all_analyses::run_all_with(&snapshot, &snapshot);
    }
});
