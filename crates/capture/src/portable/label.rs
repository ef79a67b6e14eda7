//! Labels for what the API shows: keys, upvalue names, locals.

use crate::portable::{Walk, Walked, kind_of};
use crate::slot_text::{SlotText, TEMPORARY, VARARG};
use crate::state::{State, TYPE_BOOLEAN, TYPE_LIGHT_USERDATA, TYPE_NUMBER, TYPE_STRING};
use luasnap_heap::{HeapBuilder, Kind, Label, NameId};
use std::ffi::{CStr, c_int};

/// Names by the address of their text.
///
/// The text of a name that a live object holds stays where it is while the collector stands
/// still, so its address tells the name without a look at the bytes. Direct-mapped: a slot holds
/// the last name that fell on it.
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
    /// The id of a name whose text is `bytes` for as long as the walk lasts.
    #[inline]
    pub(super) fn name(&mut self, builder: &mut HeapBuilder, bytes: &[u8]) -> Walked<NameId> {
        let address = bytes.as_ptr() as u64;
        let slot = &mut self.names[spread(address) % NAME_SLOTS];
        if slot.0 != address {
            *slot = (address, builder.name(bytes)?);
        }
        Ok(slot.1)
    }

    /// The id of `NAME:SHORT_SRC`, where the source has its full text at `source`.
    pub(super) fn local(
        &mut self,
        builder: &mut HeapBuilder,
        name: &CStr,
        source: u64,
        short_source: &[u8],
    ) -> Walked<NameId> {
        let address = name.as_ptr() as u64;
        let slot = &mut self.locals[spread(address ^ source.rotate_left(17)) % LOCAL_SLOTS];
        if (slot.0, slot.1) != (address, source) {
            *slot = (
                address,
                source,
                builder.name(SlotText::new(plain_local_name(name), short_source).bytes())?,
            );
        }
        Ok(slot.2)
    }
}

/// The one spelling of a local's name.
fn plain_local_name(name: &CStr) -> &[u8] {
    match name.to_bytes() {
        b"(*temporary)" | b"(C temporary)" => TEMPORARY.as_bytes(),
        b"(*vararg)" => VARARG.as_bytes(),
        other => other,
    }
}

/// Whether the VM knows no more of a local than that its slot is in use.
pub(super) fn is_temporary(name: &CStr) -> bool {
    plain_local_name(name) == TEMPORARY.as_bytes()
}

/// The name of an upvalue, empty where the VM has none to give: C functions (an empty one), and
/// stripped ones (`(no name)` in 5.4 and 5.5, `(*no name)` in 5.3).
fn plain_upvalue_name(name: &CStr) -> &[u8] {
    match name.to_bytes() {
        b"(no name)" | b"(*no name)" => b"",
        other => other,
    }
}

impl Walk {
    /// The label of the value under the key at `key`.
    #[inline]
    pub(super) fn key_label(&mut self, state: State, key: c_int, lua_type: c_int) -> Walked<Label> {
        Ok(match lua_type {
            TYPE_STRING => Label::Field(self.labels.name(&mut self.builder, state.string(key))?),
            TYPE_NUMBER => number_label(state, key),
            TYPE_BOOLEAN => Label::Boolean(state.boolean(key)),
            TYPE_LIGHT_USERDATA => Label::Address(Kind::Userdata, state.userdata(key) as u64),
            _ => match self.find(state, key) {
                Some(node) => Label::Object(node),
                None => {
                    let kind = kind_of(lua_type).unwrap_or(Kind::Cdata);
                    Label::Address(kind, state.pointer(key))
                }
            },
        })
    }

    pub(super) fn upvalue_label(&mut self, name: &CStr) -> Walked<Label> {
        let name = plain_upvalue_name(name);
        if name.is_empty() {
            return Ok(Label::Upvalue(NameId::EMPTY));
        }
        Ok(Label::Upvalue(self.labels.name(&mut self.builder, name)?))
    }
}

/// Integers as such, also where the VM has none: 5.1 and 5.2 keep them in doubles.
fn number_label(state: State, key: c_int) -> Label {
    if let Some(integer) = state.integer(key) {
        return Label::Index(integer);
    }
    Label::of_number(state.number(key))
}
