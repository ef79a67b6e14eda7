//! Bytes in JSON strings.
//!
//! JSON is Unicode, and Lua strings are bytes. A byte that is not UTF-8 becomes U+FFFD and its two
//! hexadecimal digits; so do the three bytes of a U+FFFD in the string, so that different strings
//! stay different. Characters that a terminal does not show as themselves are escaped, since people
//! read JSON too.

use crate::labels::digits::hex_pair;
use crate::sink::Sink;
use luasnap_heap::is_printable;
use std::borrow::Cow;
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
    (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\'
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
    let is_special = |c: char| matches!(c, '"' | '\\' | REPLACEMENT) || !is_printable(c);
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        let (plain, behind) = rest.split_at(at);
        out.put(plain.as_bytes())?;
        let mut behind = behind.chars();
        match behind.next() {
            Some(REPLACEMENT) => {
                for &byte in REPLACEMENT.encode_utf8(&mut [0; 4]).as_bytes() {
                    put_byte(out, byte)?;
                }
            }
            Some(special) => put_special(out, special)?,
            None => {}
        }
        rest = behind.as_str();
    }
    out.put(rest.as_bytes())
}

/// Writes a byte that is not part of a character.
fn put_byte(out: &mut Sink<'_>, byte: u8) -> io::Result<()> {
    let [high, low] = hex_pair(byte, b"0123456789ABCDEF");
    out.put(&[0xEF, 0xBF, 0xBD, high, low])
}

/// Writes a character that JSON does not allow, or that people cannot read.
fn put_special(out: &mut Sink<'_>, character: char) -> io::Result<()> {
    match character {
        '"' => out.put(br#"\""#),
        '\\' => out.put(br"\\"),
        '\n' => out.put(br"\n"),
        '\r' => out.put(br"\r"),
        '\t' => out.put(br"\t"),
        '\x08' => out.put(br"\b"),
        '\x0C' => out.put(br"\f"),
        _ => {
            for &unit in character.encode_utf16(&mut [0; 2]).iter() {
                out.put(&unicode_escape(unit))?;
            }
            Ok(())
        }
    }
}

/// Returns an escape: `\u202e`.
fn unicode_escape(unit: u16) -> [u8; 6] {
    let [high, low] = unit
        .to_be_bytes()
        .map(|byte| hex_pair(byte, b"0123456789abcdef"));
    [b'\\', b'u', high[0], high[1], low[0], low[1]]
}

/// Returns the JSON of another writer with characters escaped that a terminal does not show as
/// themselves. Line feeds stay: they only occur between values.
pub fn readable_json(json: &str) -> Cow<'_, str> {
    let is_special = |c: char| c != '\n' && !is_printable(c);
    if !json.contains(is_special) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if !is_special(character) {
            out.push(character);
            continue;
        }
        for &unit in character.encode_utf16(&mut [0; 2]).iter() {
            out.extend(unicode_escape(unit).map(char::from));
        }
    }
    Cow::Owned(out)
}
