//! Prototypes: the code of functions, with its constants and its names, all in one piece.

use super::{Sweep, WORD, words};
use crate::native::chunk_name::ChunkName;
use crate::native::memory::{Memory, Read, Structure};
use crate::native::misfit::{Misfit, Swept};
use crate::version::Version;
use luasnap_heap::{Kind, Label, NameId, NodeId, Strength};

const WHAT: Misfit = Misfit::Unreadable("a prototype");
/// `firstline` of a function in Lua that LuaJIT itself brings.
const BUILT_IN: u32 = u32::MAX;

/// A prototype, as its functions need it.
#[derive(Clone, Copy, Default)]
pub(super) struct KnownPrototype<'m> {
    pub(super) address: u64,
    pub(super) node: NodeId,
    pub(super) line: u32,
    pub(super) source: NameId,
    /// What its functions' upvalues are called: names that each end with a zero byte. None where a
    /// stripped function has none.
    pub(super) upvalue_names: &'m [u8],
}

impl<'m, M: Memory> Sweep<'m, M> {
    pub(super) fn prototype(&self, address: u64) -> Option<Structure<'m>> {
        self.memory.structure(address, self.layout.prototype.size)
    }

    pub(super) fn prototype_size(&self, address: u64) -> Option<u64> {
        let prototype = self.prototype(address)?;
        Some(u64::from(prototype.int(self.layout.prototype.whole)))
    }

    /// The part of a prototype from one of its fields' address on, to its end.
    fn part(&self, address: u64, place: u16) -> &'m [u8] {
        let part = self.prototype(address).and_then(|prototype| {
            let end = address + u64::from(prototype.int(self.layout.prototype.whole));
            let start = prototype.word(place);
            let is_inside = (address..end).contains(&start);
            let len = end.checked_sub(start).filter(|_| is_inside)?;
            self.memory.bytes(start, len as usize)
        });
        part.unwrap_or_default()
    }

    /// The prototype at `address`, where there really is one. One function's is often the next
    /// one's as well.
    #[inline]
    pub(super) fn known_prototype(&mut self, address: u64) -> Swept<Option<KnownPrototype<'m>>> {
        if self.known.address == address && address != 0 {
            return Ok(Some(self.known));
        }
        let Some(node) = self.heap.find(address) else {
            return Ok(None);
        };
        if self.heap.kind(node) != Kind::Prototype {
            return Ok(None);
        }
        self.describe_prototype(node, address)?;
        self.known = KnownPrototype {
            address,
            node,
            line: self.heap.count(node),
            source: self.heap.source(node),
            upvalue_names: self.part(address, self.layout.prototype.upvalue_names),
        };
        Ok(Some(self.known))
    }

    /// What a prototype's locals are called, and where they are active.
    pub(super) fn local_names(&self, address: u64) -> &'m [u8] {
        self.part(address, self.layout.prototype.local_names)
    }

    /// Learns where a prototype's code was written, once.
    fn describe_prototype(&mut self, node: NodeId, address: u64) -> Swept {
        if self.heap.source(node) != NameId::EMPTY {
            return Ok(());
        }
        let places = &self.layout.prototype;
        let prototype = self.prototype(address).ok_or(WHAT)?;
        let source = prototype.word(places.source);
        let is_string = self
            .heap
            .find(source)
            .is_some_and(|string| self.heap.kind(string) == Kind::String);
        let text = match is_string {
            true => self.text_at(source).unwrap_or_default(),
            false => &[],
        };
        let line = prototype.int(places.line);
        let (short, line) = match line {
            BUILT_IN => (ChunkName::builtin(text), 0),
            line => (ChunkName::new(Version::LuaJit, text), line),
        };
        self.heap.set_count(node, line);
        let name = self.heap.intern(short.bytes())?;
        self.heap.set_source(node, name);
        Ok(())
    }

    /// Proves what of a prototype is seen in names alone.
    fn prove_prototype(&mut self, node: NodeId, prototype: Structure<'_>) -> Swept {
        let places = &self.layout.prototype;
        let fits = prototype.byte(places.parameters) <= prototype.byte(places.frame_size);
        match fits {
            true => Ok(()),
            false => self
                .ledger
                .doubt(node, Misfit::Kind("a function's prototype")),
        }
    }

    pub(super) fn refer_from_prototype(&mut self, node: NodeId, address: u64) -> Swept {
        self.describe_prototype(node, address)?;
        let places = &self.layout.prototype;
        let prototype = self.prototype(address).ok_or(WHAT)?;
        self.prove_prototype(node, prototype)?;
        let name = (Kind::String, "a chunk's name");
        let source = prototype.word(places.source);
        self.refer_to_kind(node, source, Label::DebugName, name)?;
        // Constants that are objects lie before the middle, the last of them first.
        let count = u64::from(prototype.int(places.object_count));
        let start = prototype
            .word(places.constants)
            .wrapping_sub(u64::from(WORD) * count);
        let constants = self.memory.items(start, count, WORD).ok_or(WHAT)?;
        for constant in words(constants).rev() {
            if let Some(target) = self.object(node, constant)? {
                let label = match self.heap.kind(target) {
                    Kind::Prototype => Label::Prototype,
                    _ => Label::Constant,
                };
                self.heap.edge(target, label, Strength::Strong)?;
            }
        }
        self.refer_to_trace(node, prototype.half(places.trace))
    }
}
