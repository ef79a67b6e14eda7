//! The seeds of the fuzz targets, and changes of them.

use crate::corpus::run_all;
use crate::fuzzed;

#[test]
fn files() {
    run_all("bytes", 3000, fuzzed::bytes);
}

#[test]
fn contents_of_files() {
    run_all("contents", 3000, fuzzed::contents);
}

#[test]
fn words_that_are_asked_for() {
    run_all("words", 10_000, fuzzed::words);
}
