//! A chunk's name as people see it: `short_src` of `lua_Debug`, made from the source as the VM
//! itself makes it.

use crate::version::Version;

/// `LUA_IDSIZE`, with the zero byte at the end.
const SIZE: usize = 60;
const DOTS: &[u8] = b"...";

/// A short source: at most `LUA_IDSIZE` bytes.
#[derive(Clone, Copy)]
pub(crate) struct ChunkName {
    text: [u8; 2 * SIZE],
    len: usize,
}

impl ChunkName {
    /// The short source of `source`.
    pub(crate) fn new(version: Version, source: &[u8]) -> ChunkName {
        // Up to 5.3 a source is a C string.
        let whole = until(source, |byte| byte == 0);
        let source = if version >= Version::Lua54 {
            source
        } else {
            whole
        };
        let mut name = ChunkName {
            text: [0; 2 * SIZE],
            len: 0,
        };
        match (source.first(), version) {
            (Some(b'='), _) => name.push(&source[1..source.len().min(SIZE)]),
            // Each version reserves more room than it needs.
            (Some(b'@'), Version::Lua51) => name.push_end_of_path(&source[1..], SIZE - 8, SIZE - 8),
            (Some(b'@'), _) => name.push_end_of_path(&source[1..], SIZE - 1, SIZE - 4),
            (_, Version::Lua51) => name.push_code(
                source,
                |byte| byte == b'\n' || byte == b'\r',
                SIZE - 17,
                SIZE - 17,
            ),
            (_, Version::LuaJit) => {
                name.push_code(source, |byte| byte < b' ', SIZE - 12, SIZE - 15)
            }
            _ => name.push_code(source, |byte| byte == b'\n', SIZE - 16, SIZE - 15),
        }
        name.len = until(&name.text[..name.len], |byte| byte == 0).len();
        name
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }

    /// Whether it is the end of a file's path, of which the source has all. Then the source is worth keeping: its
    /// beginning may say whose code it is. Longer than any path it is not.
    pub(crate) fn is_cut_path(&self, source: &[u8]) -> bool {
        const PATH_MAX: usize = 4096;
        source.first() == Some(&b'@')
            && source.len() <= PATH_MAX
            && self.bytes().starts_with(DOTS)
            && !source[1..].starts_with(DOTS)
    }

    fn push(&mut self, text: &[u8]) {
        self.text[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    /// Appends a file's path: all of it up to `most` bytes, otherwise its last `kept`.
    fn push_end_of_path(&mut self, path: &[u8], most: usize, kept: usize) {
        if path.len() > most {
            self.push(DOTS);
            self.push(&path[path.len() - kept..]);
        } else {
            self.push(path);
        }
    }

    /// Appends a chunk of code: all of it if it is one line of up to `most` bytes, otherwise the
    /// first `kept` bytes of its first line.
    fn push_code(&mut self, code: &[u8], ends_line: fn(u8) -> bool, most: usize, kept: usize) {
        let line = until(code, ends_line);
        self.push(b"[string \"");
        if line.len() == code.len() && code.len() <= most {
            self.push(code);
        } else {
            self.push(&line[..line.len().min(kept)]);
            self.push(DOTS);
        }
        self.push(b"\"]");
    }

    /// The chunk name of a Lua function that is built into LuaJIT.
    pub(crate) fn builtin(source: &[u8]) -> ChunkName {
        let mut name = ChunkName {
            text: [0; 2 * SIZE],
            len: 0,
        };
        name.push(b"[builtin:");
        let source = until(source, |byte| byte < b' ');
        name.push(&source[..source.len().min(SIZE - 15)]);
        name.push(b"]");
        name
    }
}

fn until(text: &[u8], is_end: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|&byte| is_end(byte));
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(version: Version, source: &str) -> String {
        let name = ChunkName::new(version, source.as_bytes());
        String::from_utf8(name.bytes().to_vec()).unwrap()
    }

    #[test]
    fn paths_that_were_cut_are_worth_keeping() {
        let folder = "folder/".repeat(10);
        for (source, expected) in [
            (format!("@/{folder}a.lua"), true),
            ("@a.lua".to_owned(), false),
            (format!("=/{folder}a.lua"), false),
            (format!("return '{folder}'"), false),
            (format!("@/{}", "folder/".repeat(1000)), false),
        ] {
            for version in [Version::Lua51, Version::Lua54, Version::LuaJit] {
                let name = ChunkName::new(version, source.as_bytes());
                assert_eq!(name.is_cut_path(source.as_bytes()), expected, "{source}");
            }
        }
    }

    #[test]
    fn sources_are_shortened_as_each_vm_does() {
        let x = |count: usize| "x".repeat(count);
        for version in [Version::Lua51, Version::Lua54, Version::LuaJit] {
            assert_eq!(short(version, "@a.lua"), "a.lua");
            assert_eq!(short(version, "=stdin"), "stdin");
            assert_eq!(short(version, &format!("={}", x(70))), x(59));
            assert_eq!(short(version, "return 1"), "[string \"return 1\"]");
            assert_eq!(short(version, "a\nb"), "[string \"a...\"]");
            assert_eq!(short(version, ""), "[string \"\"]");
        }
        assert_eq!(short(Version::Lua51, &format!("@{}", x(52))), x(52));
        assert_eq!(
            short(Version::Lua51, &format!("@a{}", x(52))),
            format!("...{}", x(52))
        );
        assert_eq!(short(Version::Lua54, &format!("@{}", x(59))), x(59));
        assert_eq!(
            short(Version::Lua54, &format!("@{}", x(60))),
            format!("...{}", x(56))
        );
        let code = |len| format!("[string \"{}\"]", x(len));
        let cut = |len| format!("[string \"{}...\"]", x(len));
        assert_eq!(short(Version::Lua51, &x(43)), code(43));
        assert_eq!(short(Version::Lua51, &x(44)), cut(43));
        assert_eq!(short(Version::Lua54, &x(44)), code(44));
        assert_eq!(short(Version::Lua54, &x(45)), cut(45));
        assert_eq!(short(Version::LuaJit, &x(48)), code(48));
        assert_eq!(short(Version::LuaJit, &x(49)), cut(45));
    }
}
