//! Bytes as the inside of a JSON string.
//!
//! JSON is Unicode and Lua strings are bytes. A byte that is not UTF-8 becomes U+FFFD and its two
//! hexadecimal digits; so do the three bytes of a U+FFFD that was there already, so that two
//! different strings never become the same.

use crate::digits::hex_pair;
use crate::sink::Sink;
use std::io;

const REPLACEMENT: char = '\u{FFFD}';

/// Writes bytes, escaped.
#[inline]
pub(crate) fn put_escaped(out: &mut Sink<'_>, bytes: &[u8]) -> io::Result<()> {
    if bytes.iter().all(|byte| is_plain(*byte)) {
        return out.put(bytes);
    }
    put_with_escapes(out, bytes)
}

fn is_plain(byte: u8) -> bool {
    (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\'
}

fn put_with_escapes(out: &mut Sink<'_>, bytes: &[u8]) -> io::Result<()> {
    for chunk in bytes.utf8_chunks() {
        put_valid(out, chunk.valid())?;
        for &byte in chunk.invalid() {
            put_byte(out, byte)?;
        }
    }
    Ok(())
}

fn put_valid(out: &mut Sink<'_>, text: &str) -> io::Result<()> {
    let is_special = |c: char| c < ' ' || c == '"' || c == '\\' || c == REPLACEMENT;
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        out.put(&rest.as_bytes()[..at])?;
        let special = &rest[at..];
        if special.starts_with(REPLACEMENT) {
            for byte in special.bytes().take(REPLACEMENT.len_utf8()) {
                put_byte(out, byte)?;
            }
            rest = &special[REPLACEMENT.len_utf8()..];
        } else {
            put_ascii(out, special.as_bytes()[0])?;
            rest = &special[1..];
        }
    }
    out.put(rest.as_bytes())
}

/// A byte that stands for no character.
fn put_byte(out: &mut Sink<'_>, byte: u8) -> io::Result<()> {
    let [high, low] = hex_pair(byte, b"0123456789ABCDEF");
    out.put(&[0xEF, 0xBF, 0xBD, high, low])
}

/// A character that JSON does not allow as it is.
fn put_ascii(out: &mut Sink<'_>, byte: u8) -> io::Result<()> {
    match byte {
        b'"' => out.put(br#"\""#),
        b'\\' => out.put(br"\\"),
        b'\n' => out.put(br"\n"),
        b'\r' => out.put(br"\r"),
        b'\t' => out.put(br"\t"),
        0x08 => out.put(br"\b"),
        0x0C => out.put(br"\f"),
        _ => {
            let [high, low] = hex_pair(byte, b"0123456789abcdef");
            out.put(&[b'\\', b'u', b'0', b'0', high, low])
        }
    }
}
