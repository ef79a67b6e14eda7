//! What the parts of the VM's memory that are no objects are called.

use luasnap_words::{Argument, Sentence};

/// The names that captures give them, and their codes.
const NAMES: [(&str, &str); 6] = [
    ("global state", "block.global_state"),
    ("string table", "block.string_table"),
    ("buffer", "block.buffer"),
    ("trace buffers", "block.trace_buffers"),
    ("C types", "block.c_types"),
    ("light userdata segments", "block.light_userdata_segments"),
];

/// Returns what a block is called; one of another release, which only its file knows, by the name that it has there.
///
/// # Examples
///
/// ```
/// use luasnap_words::Language;
///
/// let table = luasnap_format::block_words("string table");
/// assert_eq!(table.text(Language::Chinese), "字符串表");
/// assert_eq!(luasnap_format::block_words("moon dust").text(Language::Chinese), "moon dust");
/// ```
pub fn block_words(name: &str) -> Sentence {
    match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, code)) => Sentence::new(code),
        None => Sentence::new("block.other").with("name", Argument::from(name)),
    }
}
