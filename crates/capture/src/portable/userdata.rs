//! Userdata: user values, environments, and our own snapshots among them.

use crate::lua::snapshot_handle::Handle;
use crate::lua::state::State;
use crate::portable::walk::{Walk, Walked};
use luasnap_heap::{Label, NodeId, Strength};
use std::ffi::c_int;

/// Bytes of a userdata besides its payload, near enough for all versions (64-bit).
const HEADER: u64 = 40;
/// Bytes of a user value from 5.4 on.
const USER_VALUE: u64 = 16;

impl Walk {
    /// Walks the userdata on the top.
    pub(super) fn walk_userdata(&mut self, state: State, node: NodeId) -> Walked {
        if state.metatable(-1) {
            self.refer(state, Label::Metatable, Strength::Strong)?;
        }
        if state.environment(-1) {
            self.refer(state, Label::Environment, Strength::Strong)?;
        }
        let mut number: c_int = 1;
        while state.user_value(-1, number) {
            self.refer(state, Label::UserValue(number as u16), Strength::Strong)?;
            number += 1;
        }
        let values = (number - 1) as u64;
        self.builder.set_size(
            node,
            HEADER + USER_VALUE * values + state.raw_len(-1) as u64,
        );
        Ok(())
    }

    /// Whether the userdata at `index` is one of our snapshots, which no snapshot shows.
    #[cold]
    pub(super) fn is_own_snapshot(&self, state: State, index: c_int) -> bool {
        if !state.metatable(index) {
            return false;
        }
        let own = state.pointer(-1) == self.own_metatable;
        state.pop(1);
        own && Handle::at(state, index).is_some()
    }
}
