//! Strings.

use crate::layout::ABSENT;
use crate::memory::memory::Memory;
use crate::native::byte_ledger::note;
use crate::native::equal_texts::{EqualTexts, Texts};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::puc::header::{HEADER, TAG};
use crate::native::puc::sweep::{ANY, Sweep};
use crate::native::puc::tags::ObjectType;
use crate::native::puc::whose::Whose;
use crate::version::Version;
use luasnap_heap::{Kind, NameId, NodeId};
use std::iter;

/// `LUAI_MAXSHORTLEN`. Longer texts may be in the VM several times, and are kept whole only if they
/// are names.
pub(super) const SHORT: u64 = 40;

/// How many long strings ahead the next ones are prefetched.
const AHEAD: usize = 8;

/// `LSTRFIX`, `LSTRMEM` in `shrlen`: the text is outside the VM's memory; the second has a function
/// that frees it (5.5).
const EXTERNAL: i8 = -2;
const EXTERNAL_FREED: i8 = -3;

/// Address and length of a string's text, and the shallow size of the string in bytes.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub(super) address: u64,
    pub(super) len: u64,
    pub(super) size: u64,
}

impl<'m, M: Memory> Sweep<'m, M> {
    /// Makes a node of a string. A short text is kept at once, while it is in the cache.
    pub(super) fn list_string<const L: usize>(
        &mut self,
        address: u64,
        object_type: ObjectType,
    ) -> Swept<NodeId> {
        let text = self
            .text_place::<L>(Whose::Own, address, object_type)
            .ok_or(LayoutMismatch::Unreadable(&"a string"))?;
        let node = self
            .ledger
            .add(&mut self.heap, Kind::String, address, text.size)?;
        self.short_strings += u64::from(object_type == ObjectType::ShortString);
        if text.len <= SHORT {
            let bytes = self
                .memory
                .bytes(text.address, text.len as usize + 1)
                .ok_or(LayoutMismatch::Unreadable(&"a string"))?;
            let Some((0, bytes)) = bytes.split_last() else {
                return Err(LayoutMismatch::Text.into());
            };
            match bytes {
                b"__mode" => self.mode_key = address,
                b"_LOADED" => self.number_keys.loaded = address,
                b"math" => self.number_keys.math = address,
                b"pi" => self.number_keys.pi = address,
                b"maxinteger" => self.number_keys.max_integer = address,
                b"mininteger" => self.number_keys.min_integer = address,
                _ => {}
            }
            let name = self.heap.add_name(bytes)?;
            self.heap.set_source(node, name);
        }
        // A build may have set another limit.
        if text.len > SHORT || object_type == ObjectType::LongString {
            note(&mut self.long_strings, node)?;
        }
        Ok(node)
    }

    pub(super) fn text_place<const L: usize>(
        &self,
        whose: Whose,
        address: u64,
        object_type: ObjectType,
    ) -> Option<Text> {
        let places = &self.known_layout::<L>().string;
        let header = u64::from(places.header);
        let string = self.structure_of(whose, address, places.header)?;
        let behind = |len: u64| {
            Some(Text {
                address: address + header,
                len,
                size: header.saturating_add(len).saturating_add(1),
            })
        };
        if places.short_len == ABSENT {
            return behind(string.word(places.len));
        }
        if object_type == ObjectType::ShortString {
            return behind(u64::from(string.byte(places.short_len)));
        }
        if self.known_layout::<L>().version != Version::Lua55 {
            return behind(string.word(places.len));
        }
        let string = self.structure_of(whose, address, places.fixed_size)?;
        let len = string.word(places.len);
        let fixed = u64::from(places.fixed_size);
        Some(Text {
            address: string.word(places.contents),
            len,
            size: match string.byte(places.short_len) as i8 {
                EXTERNAL => fixed,
                EXTERNAL_FREED => u64::from(places.external_size),
                _ => fixed.saturating_add(len).saturating_add(1),
            },
        })
    }

    /// Whose a string's text is, and where.
    fn text_place_of(&self, string: NodeId) -> Option<(Whose, Text)> {
        let (whose, address) = (self.whose(string), self.heap.address(string));
        let header = self.structure_of(whose, address, HEADER)?;
        let object_type = super::tags::object_type(self.layout(), header.byte(TAG))?;
        Some((whose, self.text_place::<ANY>(whose, address, object_type)?))
    }

    /// The whole text of a string.
    pub(super) fn whole_text(&self, string: NodeId) -> Option<&'m [u8]> {
        let (whose, text) = self.text_place_of(string)?;
        self.bytes_of(whose, text.address, usize::try_from(text.len).ok()?)
    }

    /// Whether a zero byte follows the text of a string.
    fn is_ended(&self, string: NodeId) -> bool {
        let end = || {
            let (whose, text) = self.text_place_of(string)?;
            self.bytes_of(whose, text.address.checked_add(text.len)?, 1)
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

    /// The same for a long string, or an empty one. Equal keys of tables may be several strings,
    /// but they have one name.
    #[cold]
    fn long_text_of(&mut self, string: NodeId) -> Swept<NameId> {
        let text = self
            .whole_text(string)
            .ok_or(LayoutMismatch::Unreadable(&"a string"))?;
        let name = self.heap.intern(text)?;
        self.heap.set_source(string, name);
        Ok(name)
    }

    /// Keeps the beginnings of long strings that turned out not to be names, and numbers the equal
    /// texts of all long strings.
    pub(super) fn name_long_texts(&mut self) -> Swept {
        let long_strings = std::mem::take(&mut self.long_strings);
        let mut texts = EqualTexts::default();
        let ahead = long_strings.iter().skip(AHEAD).map(Some);
        for (&node, later) in long_strings.iter().zip(ahead.chain(iter::repeat(None))) {
            if let Some(&later) = later {
                self.memory.prefetch(self.heap.address(later));
            }
            let Some(text) = self.whole_text(node) else {
                continue;
            };
            if !self.is_ended(node) {
                self.ledger.doubt(node, LayoutMismatch::Text)?;
            }
            if self.heap.source(node) == NameId::EMPTY {
                let name = self
                    .heap
                    .add_name(&text[..text.len().min(SHORT as usize)])?;
                self.heap.set_source(node, name);
            }
            // 5.1 interns them all. Those of other VMs waste nothing here.
            if self.version() != Version::Lua51 && self.whose(node) == Whose::Own {
                texts.add(node, text)?;
            }
        }
        texts.number(self);
        Ok(())
    }
}

impl<'m, M: Memory> Texts<'m> for Sweep<'m, M> {
    fn text(&self, string: NodeId) -> &'m [u8] {
        self.whole_text(string).unwrap_or_default()
    }

    fn set_number(&mut self, string: NodeId, number: u32) {
        self.heap.set_count(string, number);
    }
}
