//! Names of groups.

use crate::answer_error::Result;
use crate::answers::coroutine::{CoroutineRow, status_words};
use crate::answers::name::Name;
use crate::answers::short_path::{cut_end, pattern_text};
use crate::labels::printable::push_bytes;
use luasnap_heap::{ClassName, Fingerprint, Group, GroupName, Groups, Heap, ShortestPathTree};

/// Returns the name of a group: a path pattern (`_G.sessions.[*]`), a class (`class Player`), a place in the
/// source (`main.lua:20`), or the owners of strings (`strings of _G.sessions.[*]`), or what coroutines are doing
/// (`coroutine at jobs.lua:12 (in wait, called at jobs.lua:16)`). `heap` is the one that was grouped, and `tree` its
/// tree.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
pub fn group_name(
    heap: &Heap,
    tree: &ShortestPathTree,
    groups: &Groups,
    group: &Group,
) -> Result<Name> {
    let GroupName::StringsOf(owners) = group.name else {
        return own_name(heap, tree, groups, group);
    };
    // Owners that differ only in their kind have one name.
    let mut names: Vec<Name> = Vec::new();
    for owner in groups.owners(owners) {
        let name = own_name(heap, tree, groups, &groups.groups()[owner])?;
        if !names.contains(&name) {
            names.try_reserve(1)?;
            names.push(name);
        }
    }
    let mut text = Vec::new();
    push_bytes(&mut text, b"strings of ")?;
    for (at, name) in names.iter().enumerate() {
        let before: &[u8] = match at {
            0 => b"",
            _ if at + 1 == names.len() => b" and ",
            _ => b", ",
        };
        push_bytes(&mut text, before)?;
        push_bytes(&mut text, name.bytes())?;
    }
    Ok(text.into())
}

/// Returns the name of a group that is not named after another one.
fn own_name(heap: &Heap, tree: &ShortestPathTree, groups: &Groups, group: &Group) -> Result<Name> {
    match group.name {
        GroupName::HeldBy(pattern) => pattern_text(heap, groups, pattern),
        GroupName::Class(name) => joined(b"class ", class_text(heap, groups, name)?.bytes()),
        GroupName::Code { source, line } => {
            let mut text = short_text(heap.name(source))?;
            push_bytes(&mut text, format!(":{line}").as_bytes())?;
            Ok(text.into())
        }
        GroupName::LoadedCode { pattern, line } => {
            let mut text = format!("[string \"...\"]:{line} of ").into_bytes();
            push_bytes(&mut text, pattern_text(heap, groups, pattern)?.bytes())?;
            Ok(text.into())
        }
        GroupName::Coroutine(name) => {
            // All members do the same; only the name of their function is this one's.
            match CoroutineRow::of(heap, tree.node(group.example))? {
                Some(row) => row.group_name(),
                None => Ok(status_words(name.status).into()),
            }
        }
        GroupName::StringsOf(_) | GroupName::SharedStrings => Ok("shared strings".into()),
    }
}

/// Returns the name of a class: its `__name` (`Player`), or a path pattern (`_G.Player`).
pub(crate) fn class_text(heap: &Heap, groups: &Groups, name: ClassName) -> Result<Name> {
    match name {
        ClassName::Own(name) => short_text(heap.name(name)).map(Name::from),
        ClassName::HeldBy(pattern) => pattern_text(heap, groups, pattern),
    }
}

fn short_text(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    push_bytes(&mut text, bytes)?;
    cut_end(&mut text, 0)?;
    Ok(text)
}

fn joined(first: &[u8], second: &[u8]) -> Result<Name> {
    let mut text = Vec::new();
    push_bytes(&mut text, first)?;
    push_bytes(&mut text, second)?;
    Ok(text.into())
}

/// Returns a fingerprint as people write it down: its first 48 bits as 12 hexadecimal digits.
pub fn fingerprint_text(fingerprint: Fingerprint) -> String {
    format!("{:012x}", fingerprint.0 >> 16)
}
