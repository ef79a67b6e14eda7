//! Strings.

use crate::memory::memory::{Memory, Read};
use crate::native::byte_ledger::note;
use crate::native::jit::references::References;
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use luasnap_heap::{Kind, NameId, NodeId};

/// Longer texts are kept whole only if they are names.
const SHORT: u64 = 40;
const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a string");

impl<'m, M: Memory, R: References> Sweep<'m, M, R> {
    /// Makes a node of a string. A short text is kept at once, while it is in the cache.
    pub(super) fn list_string(&mut self, address: u64) -> Swept<NodeId> {
        let len = self.string_len(address).ok_or(UNREADABLE)?;
        let header = u64::from(self.layout.string.size);
        // At least one zero byte follows.
        let size = header + (len + 1).next_multiple_of(u64::from(self.layout.string.rounding));
        let node = self
            .ledger
            .add(&mut self.heap, Kind::String, address, size)?;
        if len <= SHORT {
            let bytes = self
                .memory
                .bytes(address + header, len as usize + 1)
                .ok_or(UNREADABLE)?;
            let Some((0, bytes)) = bytes.split_last() else {
                return Err(LayoutMismatch::Text.into());
            };
            if bytes == b"__mode" {
                self.mode_key = address;
            }
            let name = self.heap.add_name(bytes)?;
            self.heap.set_source(node, name);
        } else {
            note(&mut self.long_strings, node)?;
        }
        Ok(node)
    }

    /// Lists the empty string. It is on no list: it is part of the global state, where its bytes
    /// are counted.
    pub(super) fn list_empty_string(&mut self) -> Swept {
        let node = self
            .ledger
            .add(&mut self.heap, Kind::String, self.empty_string, 0)?;
        note(&mut self.fixed, node)
    }

    fn string_len(&self, address: u64) -> Option<u64> {
        let places = &self.layout.string;
        let string = self.memory.structure(address, places.size)?;
        Some(u64::from(string.int(places.len)))
    }

    /// Text of the string at `address`, which is known to be a string.
    pub(super) fn text_at(&self, address: u64) -> Option<&'m [u8]> {
        let len = self.string_len(address)?;
        let memory = self.memory;
        memory.bytes(address + u64::from(self.layout.string.size), len as usize)
    }

    /// Whether a zero byte follows the text of the string at `address`.
    fn is_ended(&self, address: u64) -> bool {
        let end = || {
            let start = address.checked_add(u64::from(self.layout.string.size))?;
            let end = start.checked_add(self.string_len(address)?)?;
            self.memory.bytes(end, 1)
        };
        end() == Some(&[0])
    }

    /// Returns the name that is a string's whole text.
    #[inline]
    pub(super) fn text_of(&mut self, string: NodeId) -> Swept<NameId> {
        match self.heap.source(string) {
            NameId::EMPTY => self.long_text_of(string),
            name => Ok(name),
        }
    }

    /// The same for a long string, or the empty one.
    #[cold]
    fn long_text_of(&mut self, string: NodeId) -> Swept<NameId> {
        let text = self.text_at(self.heap.address(string)).ok_or(UNREADABLE)?;
        let name = self.heap.add_name(text)?;
        self.heap.set_source(string, name);
        Ok(name)
    }

    /// Keeps the beginnings of long strings that turned out not to be names.
    pub(super) fn name_long_texts(&mut self) -> Swept {
        for node in std::mem::take(&mut self.long_strings) {
            if !self.is_ended(self.heap.address(node)) {
                self.ledger.doubt(node, LayoutMismatch::Text)?;
            }
            if self.heap.source(node) != NameId::EMPTY {
                continue;
            }
            if let Some(text) = self.text_at(self.heap.address(node)) {
                let start = &text[..text.len().min(SHORT as usize)];
                let name = self.heap.add_name(start)?;
                self.heap.set_source(node, name);
            }
        }
        Ok(())
    }
}
