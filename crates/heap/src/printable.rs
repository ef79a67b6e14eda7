//! Bytes as text that a terminal can show.
//!
//! Names in a heap, names of files and words of command lines are untrusted bytes: everything that
//! people see of them goes through here. A terminal obeys control characters, and characters that
//! change the direction of text or have no width make a name look like another one.

use std::fmt::{self, Display, Formatter, Write};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Whether a character is shown as itself. Controls (`Cc`), format characters (`Cf`: changes of
/// direction, zero-width characters, soft hyphens, tags), separators of lines and paragraphs (`Zl`,
/// `Zp`), and characters that Unicode calls ignorable (variation selectors, fillers) are not.
pub fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let is_format = matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    !is_format && !is_ignorable(character)
}

/// Unicode's `Default_Ignorable_Code_Point` without the format characters, and noncharacters.
fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{34F}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            | '\u{E0000}'..='\u{E0FFF}'
    ) || u32::from(character) & 0xFFFE == 0xFFFE
}

/// Bytes as [`Display`] shows them to people. What is not [printable](is_printable) or not UTF-8 becomes an
/// escape, as in a Lua string: `\n`, `\t`, `\r`, `\x1B` for the other ASCII controls, `\u{202E}` for all
/// other characters, `\xFF` for a byte that is not part of a character. Backslashes stay as they are.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a [u8]);

impl Display for Printable<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let mut rest = chunk.valid();
            while let Some(at) = rest.find(|character| !is_printable(character)) {
                let (plain, behind) = rest.split_at(at);
                f.write_str(plain)?;
                let mut behind = behind.chars();
                if let Some(character) = behind.next() {
                    write_escape(f, character)?;
                }
                rest = behind.as_str();
            }
            f.write_str(rest)?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02X}")?;
            }
        }
        Ok(())
    }
}

fn write_escape(out: &mut impl Write, character: char) -> fmt::Result {
    match character {
        '\n' => out.write_str("\\n"),
        '\t' => out.write_str("\\t"),
        '\r' => out.write_str("\\r"),
        ascii if ascii.is_ascii() => write!(out, "\\x{:02X}", u32::from(ascii)),
        other => write!(out, "\\u{{{:X}}}", u32::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_cannot_show_is_escaped() {
        for (bytes, expected) in [
            (&b"plain \\ text"[..], "plain \\ text"),
            (b"a\nb\tc\rd\0\x1b\x7f", "a\\nb\\tc\\rd\\x00\\x1B\\x7F"),
            (b"\xff\xe7\xbc-\xc0\x80", "\\xFF\\xE7\\xBC-\\xC0\\x80"),
            // C1 as a byte and as a character.
            (b"\x9b31m", "\\x9B31m"),
            ("\u{9b}31m".as_bytes(), "\\u{9B}31m"),
            ("缓存\u{85}é 👍🏽".as_bytes(), "缓存\\u{85}é 👍🏽"),
            (b"", ""),
        ] {
            assert_eq!(Printable(bytes).to_string(), expected);
        }
    }

    /// The ranges are those of Unicode's own tables, each checked at its ends and beside them.
    #[test]
    fn what_cannot_be_seen_is_not_printable() {
        for (first, last) in [
            (0x00, 0x1F),
            (0x7F, 0x9F),
            (0xAD, 0xAD),
            (0x34F, 0x34F),
            (0x600, 0x605),
            (0x61C, 0x61C),
            (0x115F, 0x1160),
            (0x17B4, 0x17B5),
            (0x180B, 0x180F),
            (0x200B, 0x200F),
            (0x2028, 0x202E),
            (0x2060, 0x206F),
            (0x3164, 0x3164),
            (0xFE00, 0xFE0F),
            (0xFEFF, 0xFEFF),
            (0xFFA0, 0xFFA0),
            (0xFFF0, 0xFFFB),
            (0xFFFE, 0xFFFF),
            (0x1BCA0, 0x1BCA3),
            (0x1D173, 0x1D17A),
            (0xDFFFE, 0xE0FFF),
            (0x10FFFE, 0x10FFFF),
        ] {
            let character = |code: u32| char::from_u32(code).unwrap();
            for code in first..=last {
                assert!(!is_printable(character(code)), "{code:#x}");
            }
            for code in [first.wrapping_sub(1), last + 1] {
                if let Some(beside) = char::from_u32(code) {
                    assert!(is_printable(beside), "{code:#x}");
                }
            }
        }
    }
}
