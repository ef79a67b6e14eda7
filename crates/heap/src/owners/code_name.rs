//! What code is called by its chunk name: a file, or something else.

use crate::graph::loaded_code::LOADED_SOURCE;

/// What a short source says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CodeName<'a> {
    /// The path of a file. Its beginning may be cut off, up to a few bytes of a folder's name.
    Path { path: &'a [u8], is_cut: bool },
    /// A name that the host gave: `stdin`, `content_by_lua(nginx.conf:59)`.
    Given(&'a [u8]),
    /// Code that was loaded without a name, or of which nothing is known.
    Unnamed,
    /// Code that is part of the VM.
    BuiltIn,
}

/// With these begin the short sources of built-in code, and of long paths.
const BUILT_IN: &[u8] = b"[builtin:";
const DOTS: &[u8] = b"...";

impl CodeName<'_> {
    /// Returns what a short source says. `whole` is the chunk's own name, with its first character, if it is
    /// known; the beginning of it alone is not taken.
    pub(crate) fn new<'a>(short: &'a [u8], whole: &'a [u8]) -> CodeName<'a> {
        let is_nameless = matches!(short, b"" | b"?" | b"=?" | b"(load)" | b"[C]");
        if is_nameless || short.starts_with(LOADED_SOURCE) {
            return CodeName::Unnamed;
        }
        if short.starts_with(BUILT_IN) {
            return CodeName::BuiltIn;
        }
        match whole.split_first() {
            Some((b'=', name)) if name.starts_with(short) => return CodeName::Given(short),
            Some((b'@', path)) if path == short => return path_of(path, false),
            Some((b'@', path)) => {
                if let Some(end) = short.strip_prefix(DOTS)
                    && path.ends_with(end)
                {
                    return path_of(path, false);
                }
            }
            _ => {}
        }
        match short.strip_prefix(DOTS).filter(|end| !end.is_empty()) {
            Some(end) => path_of(end, true),
            // `=content_by_lua(/etc/nginx.conf:59)`
            None if is_call(short) => CodeName::Given(short),
            None => path_of(short, false),
        }
    }
}

fn path_of(path: &[u8], is_cut: bool) -> CodeName<'_> {
    CodeName::Path { path, is_cut }
}

/// Whether a name has a parenthesis before any folder.
fn is_call(name: &[u8]) -> bool {
    let first = name.iter().find(|byte| matches!(byte, b'(' | b'/' | b'\\'));
    first == Some(&b'(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sources_say_what_they_are() {
        let path = |path: &'static str, is_cut| CodeName::Path {
            path: path.as_bytes(),
            is_cut,
        };
        let given = |name: &'static str| CodeName::Given(name.as_bytes());
        for (short, whole, expected) in [
            ("main.lua", "", path("main.lua", false)),
            ("main.lua", "@main.lua", path("main.lua", false)),
            ("main.lua", "=main.lua", given("main.lua")),
            ("...b/c.lua", "@/a/b/c.lua", path("/a/b/c.lua", false)),
            // The beginning of a long name, and another one's.
            ("...b/c.lua", "@/a/b/c", path("b/c.lua", true)),
            ("...b/c.lua", "", path("b/c.lua", true)),
            ("f(/a/b:1)", "", given("f(/a/b:1)")),
            ("(command line)", "", given("(command line)")),
            ("/a(1)/b.lua", "", path("/a(1)/b.lua", false)),
            ("[string \"return 1\"]", "return 1", CodeName::Unnamed),
            ("(load)", "=(load)", CodeName::Unnamed),
            ("?", "=?", CodeName::Unnamed),
            ("", "", CodeName::Unnamed),
            ("[builtin:table]", "", CodeName::BuiltIn),
        ] {
            let found = CodeName::new(short.as_bytes(), whole.as_bytes());
            assert_eq!(found, expected, "{short}");
        }
    }
}
