//! Sizes and times as people write them.

use luasnap_words::Sentence;
use std::time::Duration;

/// Parses a number of bytes: `65536`, `64K`, `10M`, `1G`.
pub fn bytes(text: &str) -> Result<u64, Sentence> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let number: Option<u64> = digits.parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(unit));
    bytes.ok_or_else(|| Sentence::new("quantity.bytes"))
}

/// Parses a time: `500ms`, `30` or `30s`, `10m`, `2h`. It is more than nothing.
pub fn time(text: &str) -> Result<Duration, Sentence> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => Some(1),
        "" | "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    let milliseconds = number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit));
    match milliseconds {
        // Nobody waits for a century, and the clock could not tell when it is over.
        Some(milliseconds @ 1..3_155_760_000_000) => Ok(Duration::from_millis(milliseconds)),
        _ => Err(Sentence::new("quantity.time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read() {
        for (text, expected) in [
            ("0", 0),
            ("65536", 65536),
            ("64K", 65536),
            ("10m", 10 << 20),
            ("1G", 1 << 30),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "K", "-1", "1T", "1 K", "99999999999999999G"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for (text, milliseconds) in [
            ("1ms", 1),
            ("30", 30_000),
            ("30s", 30_000),
            ("10m", 600_000),
            ("2h", 7_200_000),
        ] {
            assert_eq!(
                time(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "0",
            "0ms",
            "-1s",
            "1d",
            "1 s",
            "99999999999999h",
            "\u{fc}",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
