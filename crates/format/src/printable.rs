//! Bytes as text that a terminal can show.

use crate::answer_error::Result;
use crate::digits::hex_pair;

/// Bytes as text that a terminal can show: control characters and what is not UTF-8 become escapes
/// (`\n`, `\xFF`). For a few bytes: this asks for memory like any `String`.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    // Without memory it ends where it ended.
    let _ = push_printable(&mut out, bytes);
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends bytes; control characters and what is not UTF-8 become escapes (`\n`, `\xFF`).
/// Backslashes stay as they are.
pub(crate) fn push_printable(out: &mut Vec<u8>, bytes: &[u8]) -> Result {
    if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return push_bytes(out, bytes);
    }
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid().as_bytes();
        while let Some(at) = rest.iter().position(u8::is_ascii_control) {
            push_bytes(out, &rest[..at])?;
            push_escape(out, rest[at])?;
            rest = &rest[at + 1..];
        }
        push_bytes(out, rest)?;
        for &byte in chunk.invalid() {
            push_escape(out, byte)?;
        }
    }
    Ok(())
}

fn push_escape(out: &mut Vec<u8>, byte: u8) -> Result {
    match byte {
        b'\n' => push_bytes(out, br"\n"),
        b'\t' => push_bytes(out, br"\t"),
        b'\r' => push_bytes(out, br"\r"),
        _ => {
            push_bytes(out, br"\x")?;
            push_bytes(out, &hex_pair(byte, b"0123456789ABCDEF"))
        }
    }
}

/// Appends bytes, or says that there is no memory for them.
pub(crate) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result {
    out.try_reserve(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_cannot_show_is_escaped() {
        for (bytes, expected) in [
            (&b"plain \\ text"[..], "plain \\ text"),
            (b"a\nb\tc\rd\0\x1b\x7f", "a\\nb\\tc\\rd\\x00\\x1B\\x7F"),
            ("缓存\u{85}".as_bytes(), "缓存\u{85}"),
            (b"\xff\xe7\xbc-\xc0\x80", "\\xFF\\xE7\\xBC-\\xC0\\x80"),
            (b"", ""),
        ] {
            let mut out = Vec::new();
            push_printable(&mut out, bytes).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
