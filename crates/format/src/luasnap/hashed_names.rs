//! Heaps whose names tell nothing to whoever has no key.

use crate::answer_error::Result;
use crate::luasnap::redaction::{NO_CODE, Use, uses};
use luasnap_heap::{Heap, NameId, Names, StoredGroups, given_name};

/// Names of Lua and of the VM, not of a program: answers are made by them, and they tell nothing.
const OF_LUA: [&[u8]; 32] = [
    b"_CLIBS",
    b"_ENV",
    b"_G",
    b"_HOOKKEY",
    b"_IO_input",
    b"_IO_output",
    b"_LOADED",
    b"_LOADLIB",
    b"_PRELOAD",
    b"__add",
    b"__call",
    b"__close",
    b"__concat",
    b"__div",
    b"__eq",
    b"__gc",
    b"__idiv",
    b"__index",
    b"__le",
    b"__len",
    b"__lt",
    b"__metatable",
    b"__mod",
    b"__mode",
    b"__mul",
    b"__name",
    b"__newindex",
    b"__pairs",
    b"__tostring",
    b"loaded",
    b"package",
    b"preload",
];

/// Returns a heap in which `hash` of each name, and of each text, is in its place; the same one for the same bytes, so that
/// paths, groups and fingerprints are as they were but for what they are called. The names of Lua itself and of GC roots stay. What is not a name
/// of the heap stays, too: sizes, lines, addresses.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
pub fn hash_names(heap: Heap, hash: &dyn Fn(&[u8]) -> String) -> Result<Heap> {
    let uses = uses(&heap, &StoredGroups::default())?;
    let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
    lengths.try_reserve_exact(uses.len())?;
    for (id, used) in (0..).map(NameId).zip(uses) {
        let start = bytes.len();
        push(&mut bytes, used, heap.name(id), hash)?;
        lengths.push((bytes.len() - start) as u64);
    }
    let names = Names::from_parts(bytes, lengths.into_iter())?;
    let names =
        names.expect("the lengths are those of what was added, and that of the empty name is 0");
    let mut heap = heap.with_names(names).expect("there is a name for each");
    let state = heap.provenance().state_name.as_deref();
    let state = state.map(|name| hash(name.as_bytes()));
    heap.set_state_name(state);
    Ok(heap)
}

fn push(out: &mut Vec<u8>, used: Use, name: &[u8], hash: &dyn Fn(&[u8]) -> String) -> Result {
    if name.is_empty() || used == Use::Root || OF_LUA.contains(&name) {
        return push_all(out, name);
    }
    match used {
        Use::Source => push_source(out, name, hash),
        Use::Local => {
            // NAME:SOURCE. What the VM calls slots without a name is in parentheses.
            let end = name.iter().position(|byte| *byte == b':');
            let (slot, source) = name.split_at(end.unwrap_or(name.len()));
            match slot.first() {
                Some(b'(') => push_all(out, slot)?,
                _ => push_all(out, hash(slot).as_bytes())?,
            }
            match source.split_first() {
                Some((colon, source)) => {
                    push_all(out, &[*colon])?;
                    push_source(out, source, hash)
                }
                None => Ok(()),
            }
        }
        _ => push_all(out, hash(name).as_bytes()),
    }
}

fn push_source(out: &mut Vec<u8>, source: &[u8], hash: &dyn Fn(&[u8]) -> String) -> Result {
    match given_name(source) {
        _ if matches!(source, b"[C]" | b"=[C]" | b"" | b"?" | b"=?") => push_all(out, source),
        Some(name) => push_all(out, hash(name).as_bytes()),
        // The beginning of a text.
        None => push_all(out, NO_CODE),
    }
}

fn push_all(out: &mut Vec<u8>, bytes: &[u8]) -> Result {
    out.try_reserve(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}
