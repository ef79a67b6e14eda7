//! What a group is called, in words.

use crate::answer_error::Result;
use crate::answers::short_path::{cut_step, pattern_text};
use crate::labels::printable::push_printable;
use luasnap_heap::{ClassName, Fingerprint, Group, GroupName, Groups, Heap, Snapshot};

/// What a group is called: a path pattern (`_G.sessions.[*]`), a class (`class Player`), the
/// place of code (`main.lua:20`), or whose strings they are (`strings of _G.sessions.[*]`).
///
/// Fails for lack of memory alone.
pub fn group_name(snapshot: &Snapshot, groups: &Groups, group: &Group) -> Result<String> {
    let heap = snapshot.everything();
    Ok(match group.name {
        GroupName::StringsOf(owner) => {
            let owner = own_name(heap, groups, &groups.groups()[owner])?;
            format!("strings of {owner}")
        }
        _ => own_name(heap, groups, group)?,
    })
}

/// What a group is called that is not called after another one.
fn own_name(heap: &Heap, groups: &Groups, group: &Group) -> Result<String> {
    Ok(match group.name {
        GroupName::RetainerRow(path) => pattern_text(heap, groups, path)?,
        GroupName::Class(name) => format!("class {}", class_text(heap, groups, name)?),
        GroupName::Code { source, line } => place_of_code(heap.name(source), line)?,
        GroupName::StringsOf(_) | GroupName::SharedStrings => "shared strings".to_owned(),
    })
}

/// What a class is called: as it says itself (`Player`), or by a path pattern (`_G.Player`).
pub(crate) fn class_text(heap: &Heap, groups: &Groups, name: ClassName) -> Result<String> {
    match name {
        ClassName::Own(name) => short_text(heap.name(name)),
        ClassName::RetainerRow(path) => pattern_text(heap, groups, path),
    }
}

/// Where code is defined: `SOURCE:LINE`.
pub(crate) fn place_of_code(source: &[u8], line: u32) -> Result<String> {
    Ok(format!("{}:{line}", short_text(source)?))
}

fn short_text(bytes: &[u8]) -> Result<String> {
    let mut text = Vec::new();
    push_printable(&mut text, bytes)?;
    cut_step(text)
}

/// A fingerprint as people write it down: its first 48 bits as 12 hexadecimal digits.
pub fn fingerprint_text(fingerprint: Fingerprint) -> String {
    format!("{:012x}", fingerprint.0 >> 16)
}
