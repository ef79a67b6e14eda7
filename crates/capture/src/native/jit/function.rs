//! Functions, and their upvalues.

use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::known_prototype::KnownPrototype;
use crate::native::jit::references::{References, references};
use crate::native::jit::slots::{VALUE, slots};
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::{LayoutMismatch, Swept, What};
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Kind, Label, NameId, NodeId, Strength};

const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a function");
const ENVIRONMENT: (Kind, What) = (Kind::Table, &"a function's environment");

/// `FF_LUA` in `ffid`: a Lua function.
const IN_LUA: u8 = 0;

impl<'m, M: Memory, R: References> Sweep<'m, M, R> {
    /// The header of the function at `address`.
    fn function(&self, address: u64) -> Option<Structure<'m>> {
        self.memory
            .structure(address, self.layout.function.upvalues)
    }

    /// Returns the kind of a function, and its shallow size in bytes.
    pub(super) fn function_size(&self, address: u64) -> (Kind, Option<u64>) {
        let places = &self.layout.function;
        let Some(function) = self.function(address) else {
            return (Kind::LuaFunction, None);
        };
        let (kind, header, upvalue) = match function.byte(places.fast_function) {
            IN_LUA => (Kind::LuaFunction, places.upvalues, R::SIZE),
            _ => (Kind::CFunction, places.c_upvalues, VALUE),
        };
        let upvalues = u64::from(upvalue) * u64::from(function.byte(places.upvalue_count));
        (kind, Some(u64::from(header) + upvalues))
    }

    /// Returns the prototype of the Lua function at `address`, if there is one.
    pub(super) fn prototype_of(&mut self, address: u64) -> Swept<Option<KnownPrototype<'m>>> {
        let function = self.function(address).ok_or(UNREADABLE)?;
        self.known_prototype(self.prototype_before(function))
    }

    /// Address of a Lua function's prototype, which is right before its code.
    fn prototype_before(&self, function: Structure<'_>) -> u64 {
        let code = R::at(function, self.layout.function.pc);
        code.wrapping_sub(u64::from(self.layout.prototype.size))
    }

    /// A function's upvalues, from this offset on: references to them in Lua, values in C.
    fn upvalues(
        &self,
        address: u64,
        function: Structure<'_>,
        (place, size): (u16, u16),
    ) -> Option<&'m [u8]> {
        let count = function.byte(self.layout.function.upvalue_count);
        let start = address + u64::from(place);
        self.memory.items(start, u64::from(count), size)
    }

    pub(super) fn add_edges_of_lua_function(&mut self, node: NodeId, address: u64) -> Swept {
        let places = &self.layout.function;
        let function = self.function(address).ok_or(UNREADABLE)?;
        let upvalues = self.upvalues(address, function, (places.upvalues, R::SIZE));
        let upvalues = upvalues.ok_or(UNREADABLE)?;
        let environment = R::at(function, places.environment);
        self.refer_to_kind(node, environment, Label::Environment, ENVIRONMENT)?;
        let mut names: &[u8] = &[];
        match self.known_prototype(self.prototype_before(function))? {
            Some(known) => {
                self.heap
                    .edge(known.node, Label::Prototype, Strength::Strong)?;
                self.heap.set_count(node, known.line);
                self.heap.set_source(node, known.source);
                if let Some(shape) = known.shape {
                    self.heap.note_loaded_code(node, shape)?;
                }
                names = known.upvalue_names;
                if known.upvalue_count != function.byte(places.upvalue_count) {
                    self.ledger
                        .doubt(node, LayoutMismatch::Kind(&"a function's prototype"))?;
                }
            }
            None => self
                .ledger
                .doubt(node, LayoutMismatch::Kind(&"a function's prototype"))?,
        }
        // Each name ends with a zero byte; a stripped function has none.
        let mut names = names.split(|&byte| byte == 0);
        for upvalue in references::<R>(upvalues) {
            let name = names.next().unwrap_or_default();
            if let Some(target) = self.object(node, upvalue)? {
                if self.heap.kind(target) != Kind::Upvalue {
                    self.ledger
                        .doubt(node, LayoutMismatch::Kind(&"a function's upvalue"))?;
                }
                let name = self.heap.intern(name)?;
                self.heap
                    .edge(target, Label::Upvalue(name), Strength::Strong)?;
            }
        }
        Ok(())
    }

    pub(super) fn add_edges_of_c_function(&mut self, node: NodeId, address: u64) -> Swept {
        let places = &self.layout.function;
        let function = self.function(address).ok_or(UNREADABLE)?;
        let upvalues = self.upvalues(address, function, (places.c_upvalues, VALUE));
        let environment = R::at(function, places.environment);
        self.refer_to_kind(node, environment, Label::Environment, ENVIRONMENT)?;
        for upvalue in slots(upvalues.ok_or(UNREADABLE)?) {
            self.refer_to_value(node, R::value(upvalue), Label::Upvalue(NameId::EMPTY))?;
        }
        Ok(())
    }

    /// Adds a reference to the value of an upvalue. It is in the upvalue, or on a stack while that
    /// is open.
    pub(super) fn add_edges_of_upvalue(&mut self, node: NodeId, address: u64) -> Swept {
        const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"an upvalue");
        let places = &self.layout.upvalue;
        let upvalue = self
            .memory
            .structure(address, places.size)
            .ok_or(UNREADABLE)?;
        let place = R::at(upvalue, places.value);
        let is_own = place == address + u64::from(places.own_value);
        if is_own != (upvalue.byte(places.closed) != 0) {
            return Err(UNREADABLE.into());
        }
        let value = self.memory.word(place).ok_or(UNREADABLE)?;
        self.refer_to_value(node, R::value(value), Label::Value)
    }
}
