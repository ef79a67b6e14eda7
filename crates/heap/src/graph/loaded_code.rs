//! Code that was loaded from strings without a name, such as templates and rules.
//!
//! Its short source is the beginning of its text, which tells such code apart where people see one thing. So
//! its groups are told apart by what all engines see of it.

use crate::graph::node::NodeId;

/// The beginning of the short source of code that was loaded from a string without a name.
pub const LOADED_SOURCE: &[u8] = b"[string \"";

/// Returns the name that a short source gives code: `plugins/chat.lua`, `stdin`. `None` if it has none, or the source
/// is a part of the text. A name that was given to `load` without `=` or `@` before it reads as a text does, but most
/// names are no text that Lua could load.
pub fn given_name(source: &[u8]) -> Option<&[u8]> {
    let Some(text) = source.strip_prefix(LOADED_SOURCE) else {
        return (!matches!(source, b"" | b"?" | b"=?")).then_some(source);
    };
    let text = text.strip_suffix(b"\"]")?;
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:@-#".contains(byte);
    let is_name = !text.is_empty()
        && text.iter().all(is_of_name)
        // A label, a comment, a first line, and the only statements of one word.
        && ![&b":"[..], b"-", b"#"].iter().any(|begin| text.starts_with(begin))
        && !text.ends_with(b"...")
        && !matches!(text, b"return" | b"break");
    is_name.then_some(text)
}

/// What is known of code besides its source and the line where it begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CodeShape {
    /// The line where it ends. 0 for the code of a whole text: its lines would tell texts apart, and PUC Lua does
    /// not know them.
    pub last_line: u32,
    /// The number of its upvalues.
    pub upvalues: u8,
}

impl CodeShape {
    /// Returns the shape of code that a VM says to be at these lines, with this number of upvalues.
    pub fn new(first_line: u32, last_line: u32, upvalues: u8) -> CodeShape {
        CodeShape {
            last_line: if first_line == 0 { 0 } else { last_line },
            upvalues,
        }
    }
}

/// A Lua function or a prototype whose source begins as [`LOADED_SOURCE`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadedCode {
    /// The function or the prototype.
    pub node: NodeId,
    /// Its shape.
    pub shape: CodeShape,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_a_text() {
        for (source, name) in [
            ("plugins/chat.lua", Some("plugins/chat.lua")),
            ("...r/plugins/chat.lua", Some("...r/plugins/chat.lua")),
            ("stdin", Some("stdin")),
            ("[string \"plugin1\"]", Some("plugin1")),
            ("[string \"plugins/chat.lua\"]", Some("plugins/chat.lua")),
            ("[string \"return 1\"]", None),
            ("[string \"return\"]", None),
            ("[string \"f()\"]", None),
            ("[string \"f'x'\"]", None),
            ("[string \"::top::\"]", None),
            ("[string \"--nothing\"]", None),
            ("[string \"local...\"]", None),
            ("[string \"...\"]", None),
            ("[string \"\"]", None),
            ("=?", None),
            ("?", None),
            ("", None),
        ] {
            let found = given_name(source.as_bytes());
            assert_eq!(found, name.map(str::as_bytes), "{source}");
        }
    }
}
