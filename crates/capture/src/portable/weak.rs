//! Weak tables: which references are strong, by each version's own rules.
//!
//! A weak reference makes no node. It is kept aside and becomes an edge in the end, if its target
//! was reached in other ways. C functions without upvalues are not collectable objects from 5.2 on,
//! so no reference to them is weak there.

use crate::lua::state::{State, TYPE_FUNCTION};
use crate::portable::ephemerons::{NONE, Pair};
use crate::portable::walk::{TableFrame, Walk, Walked, WeakEdge, index, kind_of};
use luasnap_heap::{Label, NodeId, Strength};
use std::ffi::c_int;

impl Walk {
    /// Walks the value of an awake pair; returns false when there is none.
    pub(super) fn wake_ephemeron(&mut self, state: State) -> Walked<bool> {
        let Some(at) = self.ephemerons.awake.pop() else {
            return Ok(false);
        };
        let &Pair {
            table,
            key: (kind, address),
            next,
        } = &self.ephemerons.pairs[at as usize];
        if next != NONE {
            self.ephemerons.awake.push(next);
        }
        let slot = i64::from(at) + 1;
        if let Some(key) = self.builder.find(kind, address) {
            state.raw_get_index(index::PENDING, slot);
            self.refer_late(state, table, Label::Object(key), Strength::Ephemeron)?;
        }
        Ok(true)
    }

    /// Walks the entry on the top (key, value) of a table with a mode, and pops the value.
    pub(super) fn walk_weak_entry(
        &mut self,
        state: State,
        frame: TableFrame,
        key_type: c_int,
        value_type: c_int,
    ) -> Walked {
        let key_is_weak = frame.mode.weak_keys && self.is_collectable(state, -2, key_type);
        let value_is_weak = frame.mode.weak_values && self.is_collectable(state, -1, value_type);
        if key_is_weak {
            self.weak_edge(
                state,
                frame.node,
                -2,
                key_type,
                Label::Key,
                Strength::WeakKey,
            )?;
        } else if kind_of(key_type).is_some() {
            self.refer_to_key(state)?;
        }
        let label = self.key_label(state, -2, key_type)?;
        if value_is_weak {
            self.weak_edge(
                state,
                frame.node,
                -1,
                value_type,
                label,
                Strength::WeakValue,
            )?;
        } else if key_is_weak && self.version.has_ephemerons() {
            return self.walk_ephemeron(state, frame.node, label);
        } else {
            return self.refer(state, label, Strength::Strong);
        }
        state.pop(1);
        Ok(())
    }

    fn is_collectable(&self, state: State, index: c_int, lua_type: c_int) -> bool {
        kind_of(lua_type).is_some() && !(lua_type == TYPE_FUNCTION && self.is_light(state, index))
    }

    /// Whether the function at `index` is a C function without upvalues, from 5.2 on a plain
    /// pointer.
    fn is_light(&self, state: State, index: c_int) -> bool {
        if self.version.is_51_api() || !state.is_c_function(index) {
            return false;
        }
        let has_upvalues = state.upvalue(index, 1).is_some();
        if has_upvalues {
            state.pop(1);
        }
        !has_upvalues
    }

    fn weak_edge(
        &mut self,
        state: State,
        source: NodeId,
        target: c_int,
        lua_type: c_int,
        label: Label,
        strength: Strength,
    ) -> Walked {
        let Some(kind) = kind_of(lua_type) else {
            return Ok(());
        };
        let address = state.pointer(target);
        self.weak_edges.try_reserve(1)?;
        self.weak_edges.push(WeakEdge {
            source,
            kind,
            address,
            label,
            strength,
        });
        Ok(())
    }

    /// Walks the pair (key, value) on the top, whose key is weak: the value is kept alive only
    /// while the key is.
    fn walk_ephemeron(&mut self, state: State, table: NodeId, label: Label) -> Walked {
        if matches!(label, Label::Object(_)) {
            return self.refer(state, label, Strength::Ephemeron);
        }
        let (Some(_), Some(key)) = (kind_of(state.type_of(-1)), kind_of(state.type_of(-2))) else {
            state.pop(1);
            return Ok(());
        };
        let address = state.pointer(-2);
        let slot = self.ephemerons.wait(key, address, table)?;
        state.raw_set_index(index::PENDING, slot);
        Ok(())
    }

    /// Makes edges of the weak references whose targets were reached.
    pub(super) fn resolve_weak_edges(&mut self) -> Walked {
        for weak in &self.weak_edges {
            if let Some(target) = self.builder.find(weak.kind, weak.address) {
                self.builder
                    .edge(weak.source, target, weak.label, weak.strength)?;
            }
        }
        Ok(())
    }
}
