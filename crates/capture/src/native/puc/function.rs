//! Functions, and their upvalues.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::layout_mismatch::{LayoutMismatch, Swept, What};
use crate::native::puc::header::VALUE;
use crate::native::puc::sweep::{ANY, Sweep};
use crate::native::puc::whose::Whose;
use crate::native::sweep::Sweep as _;
use crate::version::Version;
use luasnap_heap::{Kind, Label, NameId, NodeId, Strength};

/// Bytes of a reference in an array.
const POINTER: u16 = 8;

impl<'m, M: Memory> Sweep<'m, M> {
    /// The header of the closure at `address`, up to its upvalues.
    fn closure<const L: usize>(&self, whose: Whose, address: u64) -> Option<Structure<'m>> {
        let size = self.known_layout::<L>().closure.upvalues;
        self.structure_of(whose, address, size)
    }

    /// Address of the prototype of a Lua function.
    pub(super) fn prototype_of(&self, function: NodeId) -> Option<u64> {
        let (whose, address) = (self.whose(function), self.heap.address(function));
        let closure = self.closure::<ANY>(whose, address)?;
        Some(closure.word(self.layout().closure.prototype))
    }

    fn upvalue_count<const L: usize>(&self, closure: Structure<'_>) -> u64 {
        u64::from(closure.byte(self.known_layout::<L>().closure.upvalue_count))
    }

    pub(super) fn lua_closure_size<const L: usize>(
        &self,
        whose: Whose,
        address: u64,
    ) -> Option<u64> {
        let count = self.upvalue_count::<L>(self.closure::<L>(whose, address)?);
        Some(u64::from(self.known_layout::<L>().closure.upvalues) + u64::from(POINTER) * count)
    }

    pub(super) fn c_closure_size<const L: usize>(&self, address: u64) -> Option<u64> {
        let count = self.upvalue_count::<L>(self.closure::<L>(Whose::Own, address)?);
        Some(u64::from(self.known_layout::<L>().closure.c_upvalues) + u64::from(VALUE) * count)
    }

    /// Returns the kind and the shallow size of a closure of 5.1 or 5.2.0, where a field tells its
    /// kind.
    pub(super) fn closure_size_by_field<const L: usize>(
        &self,
        address: u64,
    ) -> (Kind, Option<u64>) {
        let is_c = self
            .closure::<L>(Whose::Own, address)
            .map(|closure| closure.byte(self.known_layout::<L>().closure.is_c) != 0);
        match is_c {
            Some(true) => (Kind::CFunction, self.c_closure_size::<L>(address)),
            _ => (
                Kind::LuaFunction,
                self.lua_closure_size::<L>(Whose::Own, address),
            ),
        }
    }

    /// Addresses of a Lua function's upvalues, 8 bytes each. They are 0 while the VM is still
    /// making the function.
    pub(super) fn upvalues_of<const L: usize>(&self, function: u64) -> Option<&'m [u8]> {
        let closure = self.closure::<L>(Whose::Own, function)?;
        self.upvalues_behind::<L>(Whose::Own, function, closure)
    }

    fn upvalues_behind<const L: usize>(
        &self,
        whose: Whose,
        function: u64,
        closure: Structure<'_>,
    ) -> Option<&'m [u8]> {
        let start = function + u64::from(self.known_layout::<L>().closure.upvalues);
        self.items_of(whose, start, self.upvalue_count::<L>(closure), POINTER)
    }

    pub(super) fn add_edges_of_lua_function<const L: usize>(
        &mut self,
        node: NodeId,
        address: u64,
    ) -> Swept {
        const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a function");
        let whose = self.whose(node);
        let closure = self.closure::<L>(whose, address).ok_or(UNREADABLE)?;
        let upvalues = self.upvalues_behind::<L>(whose, address, closure);
        let upvalues = upvalues.ok_or(UNREADABLE)?;
        self.refer_to_environment::<L>(node, closure)?;
        let prototype = closure.word(self.known_layout::<L>().closure.prototype);
        let mut names: &[u8] = &[];
        if let Some(known) = self.known_prototype(prototype)? {
            self.heap
                .edge(known.node, Label::Prototype, Strength::Strong)?;
            self.heap.set_count(node, known.line);
            self.heap.set_source(node, known.source);
            if let Some(shape) = known.shape {
                self.heap.note_loaded_code(node, shape)?;
            }
            names = known.upvalue_names;
        } else if prototype != 0 {
            self.ledger
                .doubt(node, LayoutMismatch::Kind(&"a function's prototype"))?;
        }
        let size = usize::from(self.known_layout::<L>().prototype.upvalue_size);
        for (number, upvalue) in upvalues.chunks_exact(usize::from(POINTER)).enumerate() {
            let upvalue = Structure(upvalue).word(0);
            if upvalue == 0 {
                continue;
            }
            if let Some(target) = self.object(node, upvalue)? {
                if self.heap.kind(target) != Kind::Upvalue {
                    self.ledger
                        .doubt(node, LayoutMismatch::Kind(&"a function's upvalue"))?;
                }
                let name = match names.get(number * size..number * size + 8) {
                    Some(name) => self.name_at(Structure(name).word(0))?,
                    None => NameId::EMPTY,
                };
                self.heap
                    .edge(target, Label::Upvalue(name), Strength::Strong)?;
            }
        }
        Ok(())
    }

    pub(super) fn add_edges_of_c_function(&mut self, node: NodeId, address: u64) -> Swept {
        let closure = self
            .closure::<ANY>(Whose::Own, address)
            .ok_or(LayoutMismatch::Unreadable(&"a function"))?;
        self.refer_to_environment::<ANY>(node, closure)?;
        let start = address + u64::from(self.layout().closure.c_upvalues);
        let upvalues = self
            .memory
            .items(start, self.upvalue_count::<ANY>(closure), VALUE)
            .ok_or(LayoutMismatch::Unreadable(&"a function"))?;
        for upvalue in upvalues.chunks_exact(usize::from(VALUE)) {
            self.refer_to_value(node, Structure(upvalue), Label::Upvalue(NameId::EMPTY))?;
        }
        Ok(())
    }

    fn refer_to_environment<const L: usize>(
        &mut self,
        node: NodeId,
        closure: Structure<'_>,
    ) -> Swept {
        match self.known_layout::<L>().closure.environment {
            ABSENT => Ok(()),
            place => {
                const ENVIRONMENT: (Kind, What) = (Kind::Table, &"a function's environment");
                let environment = closure.word(place);
                self.refer_to_kind(node, environment, Label::Environment, ENVIRONMENT)
            }
        }
    }

    /// Adds a reference to the value of an upvalue. It is in the upvalue, or on a stack while that
    /// is open.
    pub(super) fn add_edges_of_upvalue<const L: usize>(
        &mut self,
        node: NodeId,
        address: u64,
    ) -> Swept {
        let upvalue = self
            .memory
            .structure(address, self.known_layout::<L>().upvalue.size)
            .ok_or(LayoutMismatch::Unreadable(&"an upvalue"))?;
        let places = &self.known_layout::<L>().upvalue;
        let value = upvalue.word(places.value);
        if value == address + u64::from(places.closed) {
            let own = &upvalue.0[usize::from(places.closed)..];
            return self.refer_to_value(node, Structure(own), Label::Value);
        }
        self.refer_to_value_at(node, value, Label::Value)
    }

    /// Returns the name that is the text of the string at `address`; the empty one if there is
    /// none.
    #[inline]
    pub(super) fn name_at(&mut self, address: u64) -> Swept<NameId> {
        if address == 0 {
            return Ok(NameId::EMPTY);
        }
        if let Some(known) = self.strings.get(address) {
            return Ok(known.text);
        }
        match self.resolve(address)? {
            Some(string) if self.heap.kind(string) == Kind::String => {
                let text = self.text_of(string)?;
                self.strings.put(address, string, text);
                Ok(text)
            }
            _ => Ok(NameId::EMPTY),
        }
    }

    /// Whether the call's own status says that its function is a Lua function; always `false` in
    /// 5.1.
    pub(super) fn is_lua_call(&self, call: Structure<'_>) -> bool {
        let place = self.layout().call.status;
        match self.version() {
            Version::Lua51 => false, // the function tells
            Version::Lua52 => call.byte(place) & 1 != 0,
            // A byte up to 5.3.3.
            Version::Lua53 => call.byte(place) & 2 != 0,
            Version::Lua55 => call.int(place) & 1 << 15 == 0,
            _ => call.half(place) & 2 == 0,
        }
    }
}
