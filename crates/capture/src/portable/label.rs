//! Labels for what the API shows: keys, upvalue names, locals.

use crate::lua::state::{State, TYPE_BOOLEAN, TYPE_LIGHT_USERDATA, TYPE_NUMBER, TYPE_STRING};
use crate::portable::walk::{Walk, Walked, kind_of};
use luasnap_heap::{Kind, Label, NameId};
use std::ffi::{CStr, c_int};

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

/// Integers are indices even where the VM has no integers: 5.1 and 5.2 keep them in doubles.
fn number_label(state: State, key: c_int) -> Label {
    if let Some(integer) = state.integer(key) {
        return Label::Index(integer);
    }
    Label::of_number(state.number(key))
}
