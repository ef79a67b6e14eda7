//! Any bytes as a snapshot file.

#![no_main]

#[path = "../../crates/format/tests/formats/all_analyses.rs"]
mod all_analyses;
#[allow(dead_code)]
#[path = "../../crates/format/tests/formats/file_parts.rs"]
mod file_parts;

use libfuzzer_sys::fuzz_target;
use luasnap_format::read_snapshot;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_snapshot(bytes);
    let mut repaired = bytes.to_vec();
    file_parts::repair_checksums(&mut repaired);
    if let Ok(snapshot) = read_snapshot(&repaired) {
        all_analyses::run_all_with(&snapshot, &snapshot);
    }
});
