//! Names of groups.

use crate::answer_error::Result;
use crate::answers::coroutine::{CoroutineRow, status_words};
use crate::answers::name::{Name, NameText};
use crate::answers::short_path::{cut_name, pattern_text};
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
    let mut text = NameText::default();
    text.push(b"strings of ")?;
    for (at, name) in names.iter().enumerate() {
        let before: &[u8] = match at {
            0 => b"",
            _ if at + 1 == names.len() => b" and ",
            _ => b", ",
        };
        text.push(before)?;
        text.push_name(name)?;
    }
    Ok(text.finish())
}

/// Returns the name of a group that is not named after another one.
fn own_name(heap: &Heap, tree: &ShortestPathTree, groups: &Groups, group: &Group) -> Result<Name> {
    match group.name {
        GroupName::HeldBy(pattern) => pattern_text(heap, groups, pattern),
        GroupName::Class(name) => joined(b"class ", &class_text(heap, groups, name)?),
        GroupName::Code { source, line } => {
            let mut text = NameText::default();
            text.push_name(&cut_name(heap.name(source))?)?;
            text.push(format!(":{line}").as_bytes())?;
            Ok(text.finish())
        }
        GroupName::LoadedCode {
            pattern,
            line,
            shape,
        } => {
            let last = shape.map_or(line, |shape| shape.last_line.max(line));
            let code = match last > line {
                true => format!("[string \"...\"]:{line}-{last} of "),
                false => format!("[string \"...\"]:{line} of "),
            };
            joined(code.as_bytes(), &pattern_text(heap, groups, pattern)?)
        }
        GroupName::Coroutine(name) => {
            // All members do the same; only the name of their function is this one's.
            match CoroutineRow::of(heap, tree.node(group.example))? {
                Some(row) => row.group_name(),
                None => Ok(Name::from(status_words(name.status).bytes())),
            }
        }
        GroupName::StringsOf(_) | GroupName::SharedStrings => Ok("shared strings".into()),
    }
}

/// Returns the name of a class: its `__name` (`Player`), or a path pattern (`_G.Player`).
pub(crate) fn class_text(heap: &Heap, groups: &Groups, name: ClassName) -> Result<Name> {
    match name {
        ClassName::Own(name) => cut_name(heap.name(name)),
        ClassName::HeldBy(pattern) => pattern_text(heap, groups, pattern),
    }
}

fn joined(first: &[u8], second: &Name) -> Result<Name> {
    let mut text = NameText::default();
    text.push(first)?;
    text.push_name(second)?;
    Ok(text.finish())
}

/// Returns a fingerprint as people write it down: its first 48 bits as 12 hexadecimal digits.
pub fn fingerprint_text(fingerprint: Fingerprint) -> String {
    format!("{:012x}", fingerprint.0 >> 16)
}
