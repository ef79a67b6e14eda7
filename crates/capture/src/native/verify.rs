//! Checks that hold for all VMs: what is read must mean what the layout says.

use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::version::Version;
use luasnap_heap::{Kind, NodeId, SweepBuilder};

/// Verifies the names of the metamethods, the strings at these addresses: each begins with two
/// underscores, and those that every VM since 5.1 has are among them. Forks have others too, in
/// their own order.
pub(super) fn verify_metamethods(
    heap: &SweepBuilder,
    addresses: impl Iterator<Item = u64>,
) -> Swept {
    const KNOWN: [&[u8]; 5] = [b"__index", b"__newindex", b"__gc", b"__mode", b"__call"];
    let mut found = [false; KNOWN.len()];
    for address in addresses {
        let string = heap.find(address);
        let string = string.filter(|&node| heap.kind(node) == Kind::String);
        let name = string.map_or(&b""[..], |node| heap.name(heap.source(node)));
        if !name.starts_with(b"__") {
            return Err(LayoutMismatch::Metamethods.into());
        }
        for (found, known) in found.iter_mut().zip(KNOWN) {
            *found |= name == known;
        }
    }
    match found.contains(&false) {
        true => Err(LayoutMismatch::Metamethods.into()),
        false => Ok(()),
    }
}

/// Verifies that each place for a basic type's metatable holds what it may hold.
pub(super) fn verify_metatables(mut are_right: impl Iterator<Item = bool>) -> Swept {
    match are_right.all(|is_right| is_right) {
        true => Ok(()),
        false => Err(LayoutMismatch::Kind(&"the metatable of a basic type").into()),
    }
}

/// Whether a metatable has a field of this name for the VM or a library. Up to 5.3 `__close` is not
/// such a field: the environment of a file, which is not a metatable, has one of that name.
pub(super) fn is_event(version: Version, name: &[u8]) -> bool {
    name.starts_with(b"__") && (version >= Version::Lua54 || name != b"__close")
}

/// Whether a node is one of those that are verified in full: all of the first, then a sample, so
/// that captures take hardly longer.
#[inline]
pub(super) fn is_sample(node: NodeId) -> bool {
    const ALL: u32 = 1 << 12;
    const ONE_OF: u32 = 32;
    node.0 < ALL || node.0.is_multiple_of(ONE_OF)
}

/// Whether a VM's own count matches what was found. A VM that was stopped anywhere may have been
/// about to count one more or one less.
pub(super) fn is_near(found: u64, counted: u64, is_stopped_at_any_instruction: bool) -> bool {
    found.abs_diff(counted) <= u64::from(is_stopped_at_any_instruction)
}
