//! What differs from run to run, masked.

/// A text with `0x...` for each address, and `...` for process ids, times and sizes of files.
pub fn masked(text: &str) -> String {
    let mut clean = String::new();
    for line in text.split_inclusive('\n') {
        let line = after_each(line, "0x", |c| c.is_ascii_hexdigit());
        let line = after_each(&line, "process ", |c| c.is_ascii_digit());
        let line = after_each(&line, "taken ", |c| !matches!(c, ',' | '\n'));
        clean += &after_each(&line, "file of ", |c| !matches!(c, ',' | '\n'));
    }
    clean
}

/// Three dots in the place of all that fits behind each `start`.
fn after_each(text: &str, start: &str, fits: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(start);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean += start;
        clean += "...";
        clean += part.trim_start_matches(&fits);
    }
    clean
}

#[test]
fn what_differs_is_masked() {
    let text =
        "a table:0x55d0, process 17, taken 2026-11-25 17:40:12 UTC, file of 1.5 KiB\n0xab 7\n";
    let expected = "a table:0x..., process ..., taken ..., file of ...\n0x... 7\n";
    assert_eq!(masked(text), expected);
}
