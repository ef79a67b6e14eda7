//! Names met so far, by the addresses of their texts.

use crate::lua::stack_slot_label::{StackSlotLabel, TEMPORARY, VARARG};
use luasnap_heap::{BuildError, HeapBuilder, NameId};
use std::ffi::CStr;

/// Names by the address of their text.
///
/// The text of a name in a live object stays in place while the collector is stopped, so its
/// address identifies the name without a look at the bytes. Direct-mapped: a slot contains the last
/// name that mapped to it.
pub(super) struct LabelCache {
    names: Vec<(u64, NameId)>,
    /// By the addresses of a local's name and of its source.
    locals: Vec<(u64, u64, NameId)>,
}

const NAME_SLOTS: usize = 1 << 12;
const LOCAL_SLOTS: usize = 1 << 10;

impl Default for LabelCache {
    fn default() -> Self {
        LabelCache {
            names: vec![(0, NameId::EMPTY); NAME_SLOTS],
            locals: vec![(0, 0, NameId::EMPTY); LOCAL_SLOTS],
        }
    }
}

fn spread(address: u64) -> usize {
    (address.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
}

impl LabelCache {
    /// The id of a name whose text stays at `bytes` throughout the walk.
    #[inline]
    pub(super) fn name(
        &mut self,
        builder: &mut HeapBuilder,
        bytes: &[u8],
    ) -> Result<NameId, BuildError> {
        let address = bytes.as_ptr() as u64;
        let slot = &mut self.names[spread(address) % NAME_SLOTS];
        if slot.0 != address {
            *slot = (address, builder.name(bytes)?);
        }
        Ok(slot.1)
    }

    /// The id of `NAME:SHORT_SRC`, where the full text of the source is at address `source`.
    pub(super) fn local(
        &mut self,
        builder: &mut HeapBuilder,
        name: &CStr,
        source: u64,
        short_source: &[u8],
    ) -> Result<NameId, BuildError> {
        let address = name.as_ptr() as u64;
        let slot = &mut self.locals[spread(address ^ source.rotate_left(17)) % LOCAL_SLOTS];
        if (slot.0, slot.1) != (address, source) {
            *slot = (
                address,
                source,
                builder.name(StackSlotLabel::new(plain_local_name(name), short_source).bytes())?,
            );
        }
        Ok(slot.2)
    }
}

/// The name of a local, in one spelling for all versions.
fn plain_local_name(name: &CStr) -> &[u8] {
    match name.to_bytes() {
        b"(*temporary)" | b"(C temporary)" => TEMPORARY.as_bytes(),
        b"(*vararg)" => VARARG.as_bytes(),
        other => other,
    }
}

/// Whether the VM knows no more about a local than that its slot is in use.
pub(super) fn is_temporary(name: &CStr) -> bool {
    plain_local_name(name) == TEMPORARY.as_bytes()
}
