//! See `bytes` in `crates/format/tests/formats/fuzzed.rs`.

#![no_main]

#[path = "../../crates/format/tests/formats/all_analyses.rs"]
mod all_analyses;
#[allow(dead_code, reason = "the tests use all of it, each target a part")]
#[path = "../../crates/format/tests/formats/file_parts.rs"]
mod file_parts;
#[allow(dead_code, reason = "the tests use all of it, each target a part")]
#[path = "../../crates/format/tests/formats/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::bytes(bytes));
