//! See `core` in `crates/capture/tests/core_files/fuzzed.rs`.

#![no_main]

#[path = "../../crates/capture/tests/core_files/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::core(bytes));
