//! Prototypes: the code of functions, with its constants and its names, all in one piece.

use crate::memory::memory::{Memory, Read, Structure};
use crate::native::chunk_name::ChunkName;
use crate::native::jit::known_prototype::KnownPrototype;
use crate::native::jit::references::{References, references};
use crate::native::jit::slots::SLOT;
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::sweep::Sweep as _;
use crate::version::Version;
use luasnap_heap::{CodeShape, Kind, LOADED_SOURCE, Label, NameId, NodeId, Strength};

const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a prototype");
/// Bytes of an instruction, and of an upvalue's entry.
const INSTRUCTION: u64 = 4;
const UPVALUE: u64 = 2;
/// `firstline` of a Lua function that is built into LuaJIT.
const BUILT_IN: u32 = u32::MAX;

impl<'m, M: Memory, R: References> Sweep<'m, M, R> {
    pub(super) fn prototype(&self, address: u64) -> Option<Structure<'m>> {
        self.memory.structure(address, self.layout.prototype.size)
    }

    pub(super) fn prototype_size(&self, address: u64) -> Option<u64> {
        let prototype = self.prototype(address)?;
        Some(u64::from(prototype.int(self.layout.prototype.whole)))
    }

    /// The bytes of a prototype from the address in its field at `place` to its end; empty if that
    /// address is outside it.
    fn part(&self, address: u64, place: u16) -> &'m [u8] {
        let part = self.prototype(address).and_then(|prototype| {
            let end = address + u64::from(prototype.int(self.layout.prototype.whole));
            let start = R::at(prototype, place);
            let is_inside = (address..end).contains(&start);
            let len = end.checked_sub(start).filter(|_| is_inside)?;
            self.memory.bytes(start, len as usize)
        });
        part.unwrap_or_default()
    }

    /// Returns the prototype at `address`, if there is one. Consecutive functions often share
    /// theirs.
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
        let prototype = self.prototype(address).ok_or(UNREADABLE)?;
        self.known = KnownPrototype {
            upvalue_count: prototype.byte(self.layout.prototype.upvalue_count),
            address,
            node,
            line: self.heap.count(node),
            source: self.heap.source(node),
            shape: self.shape_of_loaded(node, prototype),
            upvalue_names: self.part(address, self.layout.prototype.upvalue_names),
        };
        Ok(Some(self.known))
    }

    /// Names of a prototype's locals, and where they are active.
    pub(super) fn local_names(&self, address: u64) -> &'m [u8] {
        self.part(address, self.layout.prototype.local_names)
    }

    /// Notes the source and the line of a prototype, once.
    fn describe_prototype(&mut self, node: NodeId, address: u64) -> Swept {
        if self.heap.source(node) != NameId::EMPTY {
            return Ok(());
        }
        let places = &self.layout.prototype;
        let prototype = self.prototype(address).ok_or(UNREADABLE)?;
        let source = R::at(prototype, places.source);
        let string = self.heap.find(source);
        let string = string.filter(|string| self.heap.kind(*string) == Kind::String);
        let text = match string {
            Some(_) => self.text_at(source).unwrap_or_default(),
            None => &[],
        };
        let line = prototype.int(places.line);
        let (short, line) = match line {
            BUILT_IN => (ChunkName::builtin(text), 0),
            line => (ChunkName::new(Version::LuaJit, text), line),
        };
        if let Some(string) = string.filter(|_| short.is_cut_path(text)) {
            self.text_of(string)?;
        }
        self.heap.set_count(node, line);
        let name = self.heap.intern(short.bytes())?;
        self.heap.set_source(node, name);
        Ok(())
    }

    /// Returns the shape of a described prototype, if it was loaded without a name.
    fn shape_of_loaded(&self, node: NodeId, prototype: Structure<'_>) -> Option<CodeShape> {
        let source = self.heap.name(self.heap.source(node));
        if !source.starts_with(LOADED_SOURCE) {
            return None;
        }
        let places = &self.layout.prototype;
        let first = self.heap.count(node);
        let last = first.saturating_add(prototype.int(places.line_count));
        let upvalues = prototype.byte(places.upvalue_count);
        Some(CodeShape::new(first, last, upvalues))
    }

    /// Verifies the fields of a prototype on which only names depend.
    fn verify_prototype(&mut self, node: NodeId, address: u64, prototype: Structure<'_>) -> Swept {
        let places = &self.layout.prototype;
        let fits = prototype.byte(places.parameters) <= prototype.byte(places.frame_size)
            && self.parts_fit(address, prototype)
            && self.lines_fit(prototype);
        match fits {
            true => Ok(()),
            false => self
                .ledger
                .doubt(node, LayoutMismatch::Kind(&"a function's prototype")),
        }
    }

    /// Whether a prototype's parts follow each other: code, constants that are objects, numbers,
    /// the entries of the upvalues, lines, and names. A stripped one has neither lines nor names.
    fn parts_fit(&self, address: u64, prototype: Structure<'_>) -> bool {
        let places = &self.layout.prototype;
        let int = |place| u64::from(prototype.int(place));
        let reference = u64::from(R::SIZE);
        let code = u64::from(places.size) + INSTRUCTION * int(places.code_count);
        let objects = (code + reference * int(places.object_count)).next_multiple_of(SLOT);
        let constants = address + objects;
        let upvalues = constants + SLOT * int(places.number_count);
        // Entries of upvalues are padded to an even number, which aligns the lines.
        let upvalue_count = u64::from(prototype.byte(places.upvalue_count));
        let lines = upvalues + UPVALUE * upvalue_count.next_multiple_of(2);
        let names = lines + self.line_size(prototype) * int(places.code_count).saturating_sub(1);
        let has_no_names = [places.lines, places.upvalue_names, places.local_names]
            .into_iter()
            .all(|place| R::at(prototype, place) == 0);
        let end = address + int(places.whole);
        let locals = R::at(prototype, places.local_names);
        R::at(prototype, places.constants) == constants
            && R::at(prototype, places.upvalues) == upvalues
            && (has_no_names
                || R::at(prototype, places.lines) == lines
                    && R::at(prototype, places.upvalue_names) == names
                    && (names..=end).contains(&locals)
                    && (locals == names) == (upvalue_count == 0))
    }

    /// Bytes of the line of one instruction.
    fn line_size(&self, prototype: Structure<'_>) -> u64 {
        match prototype.int(self.layout.prototype.line_count) {
            0..=0xff => 1,
            0x100..=0xffff => 2,
            _ => 4,
        }
    }

    /// Line of an instruction; 0 where the function is stripped.
    pub(super) fn line_at(&self, address: u64, instruction: u32) -> u32 {
        let places = &self.layout.prototype;
        let Some(prototype) = self.prototype(address) else {
            return 0;
        };
        let (first, count) = (prototype.int(places.line), prototype.int(places.line_count));
        let lines = R::at(prototype, places.lines);
        if lines == 0 || first == BUILT_IN {
            return 0;
        }
        // The first instruction is the function's head.
        let Some(at) = instruction.checked_sub(1) else {
            return first;
        };
        if instruction == prototype.int(places.code_count) {
            return first.saturating_add(count);
        }
        let size = self.line_size(prototype);
        let bytes = self
            .memory
            .bytes(lines + size * u64::from(at), size as usize);
        bytes.map_or(0, |bytes| first.saturating_add(little_endian(bytes)))
    }

    /// Whether the line of a function's last instruction, counted from its first line, is one of
    /// its lines.
    fn lines_fit(&self, prototype: Structure<'_>) -> bool {
        let places = &self.layout.prototype;
        let instructions = u64::from(prototype.int(places.code_count)).saturating_sub(1);
        let (lines, size) = (R::at(prototype, places.lines), self.line_size(prototype));
        if lines == 0 || instructions == 0 {
            return true;
        }
        let last = lines + size * (instructions - 1);
        let Some(bytes) = self.memory.bytes(last, size as usize) else {
            return false;
        };
        little_endian(bytes) <= prototype.int(places.line_count)
    }

    pub(super) fn add_edges_of_prototype(&mut self, node: NodeId, address: u64) -> Swept {
        self.describe_prototype(node, address)?;
        let places = &self.layout.prototype;
        let prototype = self.prototype(address).ok_or(UNREADABLE)?;
        self.verify_prototype(node, address, prototype)?;
        if let Some(shape) = self.shape_of_loaded(node, prototype) {
            self.heap.note_loaded_code(node, shape)?;
        }
        let name = (Kind::String, &"a chunk's name");
        let source = R::at(prototype, places.source);
        self.refer_to_kind(node, source, Label::DebugName, name)?;
        // Constants that are objects are before the address in `k`, the last of them first.
        let count = u64::from(prototype.int(places.object_count));
        let start = R::at(prototype, places.constants).wrapping_sub(u64::from(R::SIZE) * count);
        let constants = self.memory.items(start, count, R::SIZE);
        for constant in references::<R>(constants.ok_or(UNREADABLE)?).rev() {
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

/// The number in at most four bytes, the lowest first.
fn little_endian(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}
