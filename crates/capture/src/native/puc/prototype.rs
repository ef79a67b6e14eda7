//! Prototypes: the code of functions, with its constants and its names.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Structure};
use crate::native::chunk_name::ChunkName;
use crate::native::layout_mismatch::{LayoutMismatch, Swept, What};
use crate::native::puc::header::VALUE;
use crate::native::puc::known_prototype::KnownPrototype;
use crate::native::puc::sweep::Sweep;
use crate::native::puc::whose::Whose;
use crate::native::sweep::Sweep as _;
use crate::version::Version;
use luasnap_heap::{CodeShape, Kind, LOADED_SOURCE, Label, NameId, NodeId};
use std::cmp::Ordering;

/// `PF_FIXED` in a prototype's `flag`: its code lies in memory that is not the VM's (5.5).
const FIXED: u8 = 4;
/// Bytes of an instruction.
const INSTRUCTION: u64 = 4;
/// Bytes of a reference in an array.
const POINTER: u16 = 8;

impl<'m, M: Memory> Sweep<'m, M> {
    pub(super) fn prototype(&self, whose: Whose, address: u64) -> Option<Structure<'m>> {
        self.structure_of(whose, address, self.layout().prototype.size)
    }

    pub(super) fn prototype_size(&self, whose: Whose, address: u64) -> Option<u64> {
        let places = &self.layout().prototype;
        let prototype = self.prototype(whose, address)?;
        let count = |place: u16| u64::from(prototype.int(place));
        let mut size = u64::from(places.size)
            + u64::from(VALUE) * count(places.constant_count)
            + u64::from(POINTER) * count(places.nested_count)
            + u64::from(places.upvalue_size) * count(places.upvalue_count)
            + u64::from(places.local_size) * count(places.local_count);
        let is_fixed =
            self.version() == Version::Lua55 && prototype.byte(places.flags) & FIXED != 0;
        if !is_fixed {
            size += INSTRUCTION * count(places.code_count)
                + u64::from(places.line_size) * count(places.line_count);
            if places.absolute_line_count != ABSENT {
                size += u64::from(places.absolute_line_size) * count(places.absolute_line_count);
            }
        }
        Some(size)
    }

    /// Returns the prototype at `address`, if there is one. Consecutive functions often share
    /// theirs.
    #[inline]
    pub(super) fn known_prototype(&mut self, address: u64) -> Swept<Option<KnownPrototype<'m>>> {
        match self.prototype.address == address && address != 0 {
            true => Ok(Some(self.prototype)),
            false => self.other_prototype(address),
        }
    }

    #[inline(never)]
    fn other_prototype(&mut self, address: u64) -> Swept<Option<KnownPrototype<'m>>> {
        let Some(node) = self.prototype_node(address)? else {
            return Ok(None);
        };
        self.describe_prototype(node, address)?;
        self.prototype = KnownPrototype {
            address,
            node,
            line: self.heap.count(node),
            source: self.heap.source(node),
            shape: self.shape_of_loaded(node, address),
            upvalue_names: self.upvalue_names(self.whose(node), address),
        };
        Ok(Some(self.prototype))
    }

    /// Returns the shape of a described prototype, if it was loaded without a name.
    fn shape_of_loaded(&self, node: NodeId, address: u64) -> Option<CodeShape> {
        let source = self.heap.name(self.heap.source(node));
        let prototype = self.prototype(self.whose(node), address);
        let prototype = prototype.filter(|_| source.starts_with(LOADED_SOURCE))?;
        let places = &self.layout().prototype;
        let upvalues = u8::try_from(prototype.int(places.upvalue_count)).unwrap_or(u8::MAX);
        let (first, last) = (prototype.int(places.line), prototype.int(places.last_line));
        Some(CodeShape::new(first, last, upvalues))
    }

    /// Notes the source and the line of a prototype, once.
    pub(super) fn describe_prototype(&mut self, node: NodeId, address: u64) -> Swept {
        if self.heap.source(node) != NameId::EMPTY {
            return Ok(());
        }
        let places = &self.layout().prototype;
        let prototype = self
            .prototype(self.whose(node), address)
            .ok_or(LayoutMismatch::Unreadable(&"a prototype"))?;
        self.heap.set_count(node, prototype.int(places.line));
        let source = prototype.word(places.source);
        let string = self.resolve(source)?;
        let string = string.filter(|string| self.heap.kind(*string) == Kind::String);
        let text = string.and_then(|string| self.whole_text(string));
        let text = text.unwrap_or(b"=?");
        let short = ChunkName::new(self.version(), text);
        if let Some(string) = string.filter(|_| short.is_cut_path(text)) {
            self.text_of(string)?;
        }
        let name = self.heap.intern(short.bytes())?;
        self.heap.set_source(node, name);
        Ok(())
    }

    /// Line of an instruction; 0 where the function is stripped, or says one that it cannot have.
    pub(super) fn line_at(&self, whose: Whose, prototype: Structure<'_>, pc: i64) -> u32 {
        let places = &self.layout().prototype;
        let Ok(pc) = usize::try_from(pc) else {
            return 0;
        };
        let first = prototype.int(places.line);
        let count = u64::from(prototype.int(places.line_count));
        let lines = self.items_of(whose, prototype.word(places.lines), count, places.line_size);
        let lines = lines.unwrap_or_default();
        let line = match places.absolute_lines {
            ABSENT => lines
                .chunks_exact(usize::from(places.line_size))
                .nth(pc)
                .map(|line| Structure(line).int(0)),
            _ => lines.get(..=pc).map(|lines| {
                let (from, line) = self
                    .absolute_line(whose, prototype, pc)
                    .unwrap_or((0, first));
                // Each is the difference to the line of the instruction before.
                lines[from..].iter().fold(line, |line, step| {
                    line.wrapping_add_signed(i32::from(*step as i8))
                })
            }),
        };
        let last = prototype.int(places.last_line);
        line.filter(|line| *line >= first && (last == 0 || *line <= last))
            .unwrap_or(0)
    }

    /// The last instruction up to `pc` whose line is stored as it is: the number of the one behind it,
    /// and its line (from 5.4 on).
    fn absolute_line(
        &self,
        whose: Whose,
        prototype: Structure<'_>,
        pc: usize,
    ) -> Option<(usize, u32)> {
        let places = &self.layout().prototype;
        let count = u64::from(prototype.int(places.absolute_line_count));
        let size = places.absolute_line_size;
        let start = prototype.word(places.absolute_lines);
        let lines = self.items_of(whose, start, count, size)?;
        // `AbsLineInfo` has an instruction and its line, by rising instructions.
        let mut lines = lines.chunks_exact(usize::from(size)).map(Structure);
        let last = lines.rfind(|line| line.int(0) as usize <= pc)?;
        Some((last.int(0) as usize + 1, last.int(4)))
    }

    /// Names of the upvalues of a prototype's functions: items that begin with the address of a
    /// string. Empty where a stripped function has none.
    fn upvalue_names(&self, whose: Whose, address: u64) -> &'m [u8] {
        let places = &self.layout().prototype;
        let names = self.prototype(whose, address).and_then(|prototype| {
            let count = u64::from(prototype.int(places.upvalue_count));
            let start = prototype.word(places.upvalues);
            self.items_of(whose, start, count, places.upvalue_size)
        });
        names.unwrap_or_default()
    }

    /// Verifies the fields of a prototype on which only names depend: its source, its lines, and
    /// its parameters.
    fn verify_prototype(&mut self, node: NodeId, prototype: Structure<'_>) -> Swept {
        let places = &self.layout().prototype;
        let (first, last) = (prototype.int(places.line), prototype.int(places.last_line));
        let parameters = prototype.byte(places.parameters);
        // A main chunk has no parameters, and takes extra arguments.
        let is_main = first == 0 && last == 0;
        let takes_extra = prototype.byte(places.flags) & !FIXED != 0;
        let is_stripped = prototype.int(places.line_count) == 0;
        let fits = (first <= last || last == 0)
            && parameters <= prototype.byte(places.stack_slots)
            && (!is_main || is_stripped || (parameters == 0 && takes_extra))
            && (is_stripped || prototype.word(places.source) != 0);
        match fits {
            true => Ok(()),
            false => self
                .ledger
                .doubt(node, LayoutMismatch::Kind(&"a function's prototype")),
        }
    }

    pub(super) fn add_edges_of_prototype(&mut self, node: NodeId, address: u64) -> Swept {
        const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a prototype");
        self.describe_prototype(node, address)?;
        if let Some(shape) = self.shape_of_loaded(node, address) {
            self.heap.note_loaded_code(node, shape)?;
        }
        let places = &self.layout().prototype;
        let whose = self.whose(node);
        let prototype = self.prototype(whose, address).ok_or(UNREADABLE)?;
        let items = |start: u16, count: u16, size: u16| {
            let count = u64::from(prototype.int(count));
            self.items_of(whose, prototype.word(start), count, size)
        };
        let constants = items(places.constants, places.constant_count, VALUE).ok_or(UNREADABLE)?;
        let nested = items(places.nested, places.nested_count, POINTER).ok_or(UNREADABLE)?;
        let locals =
            items(places.locals, places.local_count, places.local_size).ok_or(UNREADABLE)?;
        let upvalues = self.upvalue_names(whose, address);
        self.verify_prototype(node, prototype)?;
        const NAME: (Kind, What) = (Kind::String, &"a name in a prototype");
        let source = prototype.word(places.source);
        self.refer_to_kind(node, source, Label::DebugName, NAME)?;
        for constant in constants.chunks_exact(usize::from(VALUE)) {
            self.refer_to_value(node, Structure(constant), Label::Constant)?;
        }
        for prototype in nested.chunks_exact(usize::from(POINTER)) {
            let nested = (Kind::Prototype, &"a function's inner prototype");
            let prototype = Structure(prototype).word(0);
            self.refer_to_kind(node, prototype, Label::Prototype, nested)?;
        }
        for upvalue in upvalues.chunks_exact(usize::from(places.upvalue_size)) {
            self.refer_to_kind(node, Structure(upvalue).word(0), Label::DebugName, NAME)?;
        }
        for local in locals.chunks_exact(usize::from(places.local_size)) {
            let local = Structure(local);
            // In code that is still being compiled the end is not known.
            match local
                .int(places.local_start)
                .cmp(&local.int(places.local_end))
            {
                Ordering::Less => self.placed_locals += 1,
                Ordering::Equal => {}
                Ordering::Greater => self.misplaced_locals += 1,
            }
            let name = local.word(places.local_name);
            self.refer_to_kind(node, name, Label::DebugName, NAME)?;
        }
        Ok(())
    }
}
