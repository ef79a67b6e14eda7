//! Files with the expected output of a program.

use std::fs;
use std::path::Path;

/// Compares with a file in `tests/golden`, or writes it if UPDATE_GOLDEN is set.
#[track_caller]
pub fn assert_golden(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let file = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, text).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        text == golden,
        "{} has\n{golden}\nbut this came:\n{text}",
        file.display()
    );
}
