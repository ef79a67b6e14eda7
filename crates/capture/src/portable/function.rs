//! Functions: their descriptions and references.

use crate::lua::state::State;
use crate::portable::walk::{Descent, Walk, Walked};
use crate::version::Version;
use luasnap_heap::{Kind, LOADED_SOURCE, Label, NodeId, Strength};
use std::ffi::c_int;

impl Walk {
    /// The function on the top stays there while its upvalues are walked.
    pub(super) fn begin_function(&mut self, state: State, node: NodeId) -> Walked {
        if state.is_c_function(-1) {
            self.builder.set_kind(node, Kind::CFunction);
        } else {
            self.describe_lua_function(state, node)?;
            if self.is_half_made(state) {
                state.pop(1);
                return Ok(());
            }
        }
        if state.environment(-1) {
            self.refer(state, Label::Environment, Strength::Strong)?;
        }
        self.push_descent(Descent::Function(node, 1));
        Ok(())
    }

    fn describe_lua_function(&mut self, state: State, node: NodeId) -> Walked {
        let record = &mut self.function_record;
        state.push_value(-1);
        if state.info(c">Su", record) {
            self.builder.set_count(node, record.line_defined());
            let source = self.thread.sources.name(&mut self.builder, record)?;
            self.builder.set_source(node, source);
            if self.builder.text(source).starts_with(LOADED_SOURCE) {
                self.builder.note_loaded_code(node, record.shape())?;
            }
        }
        Ok(())
    }

    /// Whether the VM is still making the function on the top, which was just described. From 5.2
    /// on, such a function can be met while the reader of a `load` runs: the VM keeps it on the
    /// stack (5.5: in a table there). Its upvalues exist in name only, and asking for one would
    /// crash the process.
    fn is_half_made(&self, state: State) -> bool {
        !self.version.is_51_api()
            && self.function_record.upvalue_count() > 0
            && !state.has_upvalue(-1, 1)
    }

    /// Continues the walk at upvalue `number`.
    pub(super) fn step_function(&mut self, state: State, node: NodeId, number: c_int) -> Walked {
        let mut number = number;
        while let Some(name) = state.upvalue(-1, number) {
            number += 1;
            let lua_type = state.type_of(-1);
            let Some((target, new)) = self.meet(state, -1, lua_type)? else {
                state.pop(1);
                continue;
            };
            let label = self.upvalue_label(name)?;
            self.open_edge(target, label, Strength::Strong)?;
            if new {
                self.descents[self.depth - 1] = Some(Descent::Function(node, number));
                return self.descend(state, target, lua_type);
            }
            state.pop(1);
        }
        let bytes = self.function_size(node, number - 1);
        self.builder.set_size(node, bytes);
        self.pop_descent(state, node)
    }

    /// The function's shallow size, from the version's structures (64-bit), without upvalues that
    /// it shares with others.
    fn function_size(&self, node: NodeId, upvalues: c_int) -> u64 {
        let upvalues = upvalues as u64;
        let has_environment = self.version.is_51_api();
        let header = if has_environment { 40 } else { 32 };
        match self.builder.kind(node) {
            Kind::CFunction if upvalues == 0 && !has_environment => 0, // light: no object
            Kind::CFunction if self.version == Version::LuaJit => 48 + 8 * upvalues,
            Kind::CFunction => header + 16 * upvalues,
            _ => header + 8 * upvalues,
        }
    }
}
