//! Types and names of references for DevTools.

use crate::answer_error::Result;
use crate::heapsnapshot::node_row::NodeNames;
use crate::heapsnapshot::strings::Strings;
use crate::labels::printable::push_bytes;
use luasnap_heap::{Heap, Label, NodeId};
use rustc_hash::FxHashMap;

/// The types of references that are written, and how DevTools shows them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EdgeType {
    /// `->name`
    Context = 0,
    /// `[5]`; its name is the number itself.
    Element = 1,
    /// `.name`
    Property = 2,
    /// `{name}`
    Internal = 3,
    /// `[[name]]`; keeps nothing alive.
    Weak = 6,
}

/// The name of the reference from the key of a table with weak keys to its value.
///
/// The VM keeps the value as long as it keeps the table and the key. A graph can express this in two ways. V8
/// names both references `N / part of key (..) -> value (..) pair in WeakMap (table @id)`; DevTools ignores
/// the table's reference of that name, so that only the key retains the value, while memlab counts both. With
/// any other name both references count for both readers: the value is dominated by what dominates key and
/// table, as in [`Dominators`](luasnap_heap::Dominators). Hence this name.
pub(super) const VALUE_OF_KEY: &[u8] = b"value of this weak key";

/// The largest index that every reader takes for a number.
const LARGEST_INDEX: i64 = i32::MAX as i64;

/// The names of references.
#[derive(Default)]
pub(super) struct EdgeNames {
    /// A buffer for names.
    text: Vec<u8>,
    /// The places of the names of keys that are objects: finding one can take a pass over the key's
    /// references, and many tables may have the same key.
    by_key: FxHashMap<NodeId, u32>,
}

impl EdgeNames {
    /// Returns the type of a reference, and the place of its name among the strings, or its index.
    #[inline]
    pub(super) fn of(
        &mut self,
        heap: &Heap,
        edge: usize,
        nodes: &mut NodeNames<'_>,
        strings: &mut Strings<'_>,
    ) -> Result<(EdgeType, u32)> {
        let label = heap.label(edge);
        let is_weak = heap.strength(edge).is_weak();
        let kind = match type_of(label) {
            EdgeType::Element if !is_weak => return Ok((EdgeType::Element, index_of(label))),
            _ if is_weak => EdgeType::Weak,
            kind => kind,
        };
        let name = match label {
            Label::Upvalue(name) if heap.name(name).is_empty() => strings.text(b"(upvalue)")?,
            Label::Object(key) => self.key_name(key, nodes, strings)?,
            Label::Index(_) | Label::Number(_) | Label::Address(..) | Label::UserValue(_) => {
                strings.label(edge)?
            }
            label => match label.name() {
                Some(name) => strings.name(name),
                None => strings.text(fixed_name(label))?,
            },
        };
        Ok((kind, name))
    }

    /// Returns the name of a key that is an object. It has no address, since there may be many such
    /// keys.
    fn key_name(
        &mut self,
        key: NodeId,
        nodes: &mut NodeNames<'_>,
        strings: &mut Strings<'_>,
    ) -> Result<u32> {
        if let Some(name) = self.by_key.get(&key) {
            return Ok(*name);
        }
        self.text.clear();
        push_bytes(&mut self.text, b"[")?;
        nodes.push_name(&mut self.text, key)?;
        push_bytes(&mut self.text, b"]")?;
        let name = strings.text(&self.text)?;
        self.by_key.try_reserve(1)?;
        self.by_key.insert(key, name);
        Ok(name)
    }
}

#[inline]
fn type_of(label: Label) -> EdgeType {
    match label {
        Label::Index(0..=LARGEST_INDEX) => EdgeType::Element,
        Label::Field(_)
        | Label::Index(_)
        | Label::Number(_)
        | Label::Boolean(_)
        | Label::Object(_)
        | Label::Address(..)
        | Label::Root(_) => EdgeType::Property,
        Label::Upvalue(_) | Label::Local(_) => EdgeType::Context,
        Label::Key
        | Label::Metatable
        | Label::UserValue(_)
        | Label::Environment
        | Label::Prototype
        | Label::Constant
        | Label::DebugName
        | Label::Value
        | Label::Trace => EdgeType::Internal,
    }
}

/// Returns the index of an element.
#[inline]
fn index_of(label: Label) -> u32 {
    match label {
        Label::Index(index) => index as u32,
        _ => 0,
    }
}

/// Returns the name of a label without a payload.
fn fixed_name(label: Label) -> &'static [u8] {
    match label {
        Label::Boolean(true) => b"[true]",
        Label::Boolean(false) => b"[false]",
        Label::Key => b"key",
        Label::Metatable => b"metatable",
        Label::Environment => b"environment",
        Label::Prototype => b"prototype",
        Label::Constant => b"constant",
        Label::DebugName => b"debug name",
        Label::Value => b"value",
        Label::Trace => b"trace",
        _ => b"",
    }
}
