//! Tables: entries, metatables and weak modes.

use crate::lua::state::{State, TYPE_NUMBER, TYPE_STRING};
use crate::lua::weak_mode::WeakMode;
use crate::portable::walk::{Descent, TableFrame, Walk, Walked, index, kind_of};
use crate::version::Version;
use luasnap_heap::{Label, NodeId, Strength};

impl Walk {
    /// The table on the top stays there while its entries are walked.
    pub(super) fn begin_table(&mut self, state: State, node: NodeId) -> Walked {
        let mode = if state.metatable(-1) {
            let mode = table_mode(state);
            self.refer(state, Label::Metatable, Strength::Strong)?;
            mode
        } else {
            WeakMode::default()
        };
        self.look_ahead(state);
        state.push_nil();
        self.push_descent(Descent::Table(TableFrame {
            node,
            mode,
            entries: 0,
            numbers: 0,
        }));
        Ok(())
    }

    /// Prefetches the table's first elements, so that the waits for memory overlap: in a large heap
    /// the walk does little but wait.
    fn look_ahead(&self, state: State) {
        const AHEAD: usize = 8;
        let len = state.raw_len(-1).min(AHEAD) as i64;
        for index in 1..=len {
            state.raw_get_index(-1, index);
            if let Some(kind) = kind_of(state.type_of(-1)) {
                let address = state.pointer(-1);
                state.prefetch(address);
                self.builder.prefetch(kind, address);
            }
            state.pop(1);
        }
    }

    /// Continues after the key on the top, until an entry has to be descended into or none is left.
    pub(super) fn step_table(&mut self, state: State, frame: TableFrame) -> Walked {
        let mut frame = frame;
        while state.next(-2) {
            let (key_type, value_type) = (state.type_of(-2), state.type_of(-1));
            frame.entries = frame.entries.saturating_add(1);
            frame.numbers = frame
                .numbers
                .saturating_add(u32::from(key_type == TYPE_NUMBER));
            let (key, value) = (kind_of(key_type), kind_of(value_type));
            if key.is_none() && value.is_none() {
                state.pop(1);
                continue;
            }
            if (frame.mode.weak_keys && key.is_some())
                || (frame.mode.weak_values && value.is_some())
            {
                self.walk_weak_entry(state, frame, key_type, value_type)?;
                continue;
            }
            if key.is_some() {
                self.refer_to_key(state)?;
            }
            let Some(kind) = value else {
                state.pop(1);
                continue;
            };
            let address = state.pointer(-1);
            state.prefetch(address);
            self.builder.prefetch(kind, address);
            let label = self.key_label(state, -2, key_type)?;
            let Some((target, new)) = self.meet_object(state, -1, kind, address)? else {
                state.pop(1);
                continue;
            };
            self.open_edge(target, label, Strength::Strong)?;
            if new {
                self.descents[self.depth - 1] = Some(Descent::Table(frame));
                return self.descend(state, target, value_type);
            }
            state.pop(1);
        }
        self.builder.set_count(frame.node, frame.entries);
        self.builder.set_size(frame.node, self.table_size(frame));
        self.pop_descent(state, frame.node)
    }

    /// Adds a strong reference to the key below the top, an object.
    pub(super) fn refer_to_key(&mut self, state: State) -> Walked {
        state.push_value(-2);
        self.refer(state, Label::Key, Strength::Strong)
    }

    /// The table's shallow size, by the version's structures (64-bit) and as if it had been filled
    /// in order: the API does not tell the real sizes of its parts.
    fn table_size(&self, frame: TableFrame) -> u64 {
        let (header, node) = match self.version {
            Version::Lua51 => (64, 40),
            Version::Lua52 => (56, 40),
            Version::Lua53 => (56, 32),
            Version::Lua54 => (56, 24),
            Version::Lua55 => (48, 24),
            Version::LuaJit => (64, 24),
        };
        let slot = if self.version == Version::LuaJit {
            8
        } else {
            16
        };
        let rounded = |count: u32| {
            if count == 0 {
                0
            } else {
                u64::from(count).next_power_of_two()
            }
        };
        header
            + slot * rounded(frame.numbers)
            + node * rounded(frame.entries.saturating_sub(frame.numbers))
    }
}

/// The mode of the tables whose metatable is on the top.
fn table_mode(state: State) -> WeakMode {
    state.push_value(index::MODE);
    state.raw_get(-2);
    let mut mode = WeakMode::default();
    if state.type_of(-1) == TYPE_STRING {
        mode = WeakMode::from_text(state.string(-1));
    }
    state.pop(1);
    mode
}
