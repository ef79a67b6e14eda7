//! The Lua that a process has inside, where none of its states is known: what its files say of themselves, and whether
//! its memory has the traces of an open state.

use crate::memory::mappings::mappings;
use crate::process::error::{AttachError, AttachErrorKind, no_memory};
use crate::process::pages::{MappingKind, Pages};
use crate::process::program::is_thirty_two_bit;
use crate::process::remote_memory::RemoteMemory;
use crate::process::shared_memory::SharedMemory;
use crate::process::threads::living_thread;
use luasnap_heap::Printable;
use luasnap_words::Sentence;
use memchr::memmem::Finder;
use rustc_hash::FxHashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Bytes of one chunk that are looked at again together with the next: longer than what is looked for.
const OVERLAP: usize = 64;

/// A Lua inside a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LuaInside {
    /// What it calls itself: `Lua 5.3.3`, `LuaJIT 2.0.5`.
    pub release: String,
    /// The program or the library that it is part of.
    pub file: PathBuf,
}

/// A Lua of which a state is open that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreadLua {
    /// Which one it is.
    pub lua: LuaInside,
    /// Why it cannot be read.
    pub reason: UnreadReason,
}

/// Why a Lua cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnreadReason {
    /// Its structures are those of no release that is known: it was changed, or built with other types.
    UnknownStructures,
    /// The process has 32 bits.
    ThirtyTwoBit,
}

/// Returns the Lua of a process without a known state, if one of its states is open.
pub(super) fn unread_lua(
    process: u32,
    shared: &SharedMemory,
    files: &mut LuaFiles,
) -> Option<UnreadLua> {
    let lua = files.inside(process)?;
    let is_open = has_open_state(process, shared).unwrap_or(false);
    let reason = match is_thirty_two_bit(process) {
        true => UnreadReason::ThirtyTwoBit,
        false => UnreadReason::UnknownStructures,
    };
    is_open.then_some(UnreadLua { lua, reason })
}

/// The error for a process none of whose states is known.
pub(super) fn no_known_state(process: u32, shared: &SharedMemory) -> AttachError {
    let Some(UnreadLua { lua, .. }) = unread_lua(process, shared, &mut LuaFiles::default()) else {
        return AttachError::no_lua_state(process);
    };
    AttachError::new(
        AttachErrorKind::Unsupported,
        Sentence::new("attach.unread_lua")
            .with("process", process)
            .with("lua", Printable(lua.release.as_bytes()).to_string())
            .with(
                "file",
                Printable(lua.file.as_os_str().as_bytes()).to_string(),
            ),
    )
}

/// What files say of the Lua inside them. Each is read once, however many processes have it.
#[derive(Default)]
pub(super) struct LuaFiles {
    /// By device and inode.
    known: FxHashMap<(u64, u64), Option<String>>,
}

impl LuaFiles {
    /// Returns the first Lua in the files of a process's code, in the order of their addresses: the program itself
    /// comes first as a rule. A file that cannot be read has none.
    pub(super) fn inside(&mut self, process: u32) -> Option<LuaInside> {
        let thread = living_thread(process);
        let maps = std::fs::read(format!("/proc/{thread}/maps")).ok()?;
        let code = mappings(&maps).filter(|mapping| {
            mapping.is_readable && !mapping.is_writable && mapping.path.starts_with(b"/")
        });
        let mut last: &[u8] = b"";
        for mapping in code {
            if mapping.path == last {
                continue;
            }
            last = mapping.path;
            let file = Path::new(std::ffi::OsStr::from_bytes(mapping.path));
            if let Some(release) = self.release_in(thread, file) {
                return Some(LuaInside {
                    release,
                    file: file.to_owned(),
                });
            }
        }
        None
    }

    /// What the Lua in a file that a process sees calls itself.
    fn release_in(&mut self, thread: u32, file: &Path) -> Option<String> {
        // The process may have other files of this name than we, as in a container.
        let inside = file.strip_prefix("/").ok()?;
        let path = Path::new("/proc")
            .join(thread.to_string())
            .join("root")
            .join(inside);
        let about = std::fs::metadata(&path).ok()?;
        // A device may do anything when it is opened.
        if !about.is_file() {
            return None;
        }
        let known = self.known.entry((about.dev(), about.ino()));
        known
            .or_insert_with(|| {
                let mut release = None;
                let mut file = File::open(&path).ok()?;
                let looked = in_chunks(
                    |into| file.read(into),
                    |bytes| {
                        release = release_of(bytes);
                        release.is_none()
                    },
                );
                looked.ok()?;
                release
            })
            .clone()
    }
}

/// What a Lua calls itself, by the text that every release has inside: `lua_ident` of PUC Lua, the version in LuaJIT's
/// library `jit`.
fn release_of(bytes: &[u8]) -> Option<String> {
    // 5.2 and later, Ravi, then 5.1.
    for (before, after) in [
        ("$LuaVersion: ", "  Copyright"),
        ("$LuaVersion: ", "\nCopyright"),
        ("$Lua: ", " Copyright"),
    ] {
        for at in Finder::new(before).find_iter(bytes) {
            let name = &bytes[at + before.len()..];
            let name = &name[..name.len().min(OVERLAP / 2)];
            let Some(end) = Finder::new(after).find(name) else {
                continue;
            };
            let name = &name[..end];
            if name
                .iter()
                .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
            {
                return Some(String::from_utf8_lossy(name).into_owned());
            }
        }
    }
    Finder::new("\0LuaJIT 2.")
        .find_iter(bytes)
        .find_map(|at| jit_release(&bytes[at + 1..]))
}

/// `LuaJIT 2.1.0-beta3`, if a zero follows: other texts go on in words.
fn jit_release(text: &[u8]) -> Option<String> {
    let end = text.iter().take(OVERLAP / 2).position(|byte| *byte == 0)?;
    let name = std::str::from_utf8(&text[..end]).ok()?;
    let version = name.strip_prefix("LuaJIT ")?;
    let is_version = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
    };
    is_version(version).then(|| name.to_owned())
}

/// Whether a process has an open Lua state, known or not: every Lua keeps the names of all metamethods as strings of
/// its heap.
///
/// # Errors
/// The system's, where the process cannot be read.
fn has_open_state(process: u32, shared: &SharedMemory) -> io::Result<bool> {
    let remote = RemoteMemory::new(process);
    let pages = Pages::of_process(process, MappingKind::Writable(shared))?;
    let names = ["__newindex\0", "__concat\0", "__mode\0"].map(Finder::new);
    let mut seen = [false; 3];
    for run in &pages.runs {
        let mut at = run.address;
        let end = run.address + run.len;
        in_chunks(
            |into| {
                let len = into.len().min((end - at) as usize);
                let read = remote.read(at, &mut into[..len])?;
                // What is gone meanwhile has no name.
                into[read..len].fill(0);
                at += len as u64;
                Ok(len)
            },
            |bytes| {
                for (name, seen) in names.iter().zip(&mut seen) {
                    *seen = *seen || name.find(bytes).is_some();
                }
                seen.contains(&false)
            },
        )?;
    }
    Ok(!seen.contains(&false))
}

/// Reads to the end, and passes all bytes to `look` until it returns false. Each call has the end of the bytes before.
fn in_chunks(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    mut look: impl FnMut(&[u8]) -> bool,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(OVERLAP + CHUNK)
        .map_err(no_memory)?;
    bytes.resize(OVERLAP + CHUNK, 0);
    let mut kept = 0;
    loop {
        let len = match read(&mut bytes[kept..kept + CHUNK]) {
            Ok(len) => kept + len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if len == kept || !look(&bytes[..len]) {
            return Ok(());
        }
        kept = len.min(OVERLAP);
        bytes.copy_within(len - kept..len, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lua_says_which_release_it_is() {
        for (text, expected) in [
            (
                "\0$LuaVersion: Lua 5.3.3  Copyright (C) 1994-2016 Lua.org, PUC-Rio $",
                Some("Lua 5.3.3"),
            ),
            (
                "$Lua: Lua 5.1.4 Copyright (C) 1994-2008 Lua.org, PUC-Rio $\n$Authors:",
                Some("Lua 5.1.4"),
            ),
            (
                "$LuaVersion: $LuaVersion: Lua 5.4.0  Copyright",
                Some("Lua 5.4.0"),
            ),
            (
                "\0$LuaVersion: Ravi 5.3.5\nCopyright (C) 1994-2019 Lua.org, PUC-Rio\nPortions",
                Some("Ravi 5.3.5"),
            ),
            ("\0LuaJIT 2.0.5\0", Some("LuaJIT 2.0.5")),
            ("\0LuaJIT 2.1.0-beta3\0", Some("LuaJIT 2.1.0-beta3")),
            ("\0LuaJIT 2.1 is what you need\0", None),
            ("LuaJIT 2.0.5\0", None),
            ("\0LuaJIT 2.0.5", None),
            ("$LuaVersion: %s", None),
            ("$Lua: ", None),
            ("", None),
        ] {
            assert_eq!(release_of(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_lies_across_two_chunks_is_seen() {
        for shift in 0..OVERLAP + 2 {
            let mut all = vec![b'.'; CHUNK - shift];
            all.extend_from_slice(b"\0LuaJIT 2.1.0-beta3\0...");
            let mut rest = &all[..];
            let mut found = None;
            in_chunks(
                |into| rest.read(into),
                |bytes| {
                    found = release_of(bytes);
                    found.is_none()
                },
            )
            .unwrap();
            assert_eq!(found.as_deref(), Some("LuaJIT 2.1.0-beta3"), "{shift}");
        }
    }

    #[test]
    fn reading_ends_at_the_end_or_when_told() {
        let mut calls = 0;
        let all = vec![0; 3 * CHUNK];
        for (most, expected) in [(usize::MAX, 3), (2, 2)] {
            let mut rest = &all[..];
            calls = 0;
            in_chunks(
                |into| rest.read(into),
                |_| {
                    calls += 1;
                    calls < most
                },
            )
            .unwrap();
            assert_eq!(calls, expected);
        }
        let failed = in_chunks(|_| Err(io::ErrorKind::NotFound.into()), |_| true);
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(calls, 2);
    }
}
