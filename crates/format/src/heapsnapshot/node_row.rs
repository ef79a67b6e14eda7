//! Types and names of nodes for DevTools.
//!
//! DevTools groups objects and native nodes by name, and all other nodes by type. So objects have
//! few different names, and no name contains an address.

use crate::answer_error::Result;
use crate::heapsnapshot::class_name::ClassNames;
use crate::heapsnapshot::contents::Contents;
use crate::heapsnapshot::strings::Strings;
use crate::labels::digits::push_decimal;
use crate::labels::printable::push_bytes;
use luasnap_heap::{Heap, Kind, Label, NameId, NodeId, Snapshot, coroutine_body};
use rustc_hash::FxHashMap;

/// The types of nodes that are written. Hidden nodes and arrays are not: DevTools adds their sizes to those of
/// their owners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NodeType {
    /// A row for each text, in the group `(string)`.
    String = 2,
    /// A row for each name.
    Object = 3,
    /// All in the group `(compiled code)`.
    Code = 4,
    /// All in the group `Function`.
    Closure = 5,
    /// A row for each name; DevTools counts it as memory outside the heap of objects.
    Native = 8,
    /// Nodes that only the file has.
    Synthetic = 9,
}

impl NodeType {
    #[inline]
    pub(super) fn of(kind: Kind) -> NodeType {
        match kind {
            Kind::Root => NodeType::Synthetic,
            Kind::Table | Kind::Thread | Kind::Upvalue => NodeType::Object,
            Kind::LuaFunction | Kind::CFunction => NodeType::Closure,
            Kind::Userdata | Kind::Cdata | Kind::Snapshot => NodeType::Native,
            Kind::String => NodeType::String,
            Kind::Prototype | Kind::Trace => NodeType::Code,
        }
    }
}

/// The names of nodes.
pub(super) struct NodeNames<'a> {
    heap: &'a Heap,
    classes: ClassNames<'a>,
    /// By C function: the name of the first field that refers to it.
    c_functions: FxHashMap<NodeId, NameId>,
    main_thread: Option<NodeId>,
    /// By group of tables or userdata: the place of the name of its members among the strings.
    by_group: FxHashMap<usize, u32>,
    /// A buffer for names.
    text: Vec<u8>,
}

impl<'a> NodeNames<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, contents: &Contents) -> Result<Self> {
        let heap = snapshot.everything();
        Ok(NodeNames {
            heap,
            classes: ClassNames::new(snapshot)?,
            c_functions: c_function_names(heap, contents)?,
            main_thread: heap.root_named(b"[mainthread]").map(|edge| edge.target),
            by_group: FxHashMap::default(),
            text: Vec::new(),
        })
    }

    /// Returns the place of a node's name among the strings.
    #[inline]
    pub(super) fn name(&mut self, node: NodeId, strings: &mut Strings<'_>) -> Result<u32> {
        let kind = self.heap.kind(node);
        if kind == Kind::String {
            return Ok(strings.name(self.heap.source_id(node)));
        }
        let is_grouped = matches!(kind, Kind::Table | Kind::Userdata);
        let group = is_grouped.then(|| self.classes.group(node)).flatten();
        if let Some(place) = group.and_then(|group| self.by_group.get(&group)) {
            return Ok(*place);
        }
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        match group {
            Some(group) if kind == Kind::Table => self.push_constructor(&mut text, node, group)?,
            _ => self.push_name(&mut text, node)?,
        }
        self.text = text;
        let place = strings.text(&self.text)?;
        if let Some(group) = group {
            self.by_group.try_reserve(1)?;
            self.by_group.insert(group, place);
        }
        Ok(place)
    }

    /// Appends the name of a table: that of its class, else that of its group.
    fn push_constructor(&mut self, out: &mut Vec<u8>, node: NodeId, group: usize) -> Result {
        match self.classes.pattern(group)? {
            // DevTools renames these after their fields.
            Some(name) if name.bytes() == b"Object" => push_bytes(out, b"table Object"),
            Some(name) if !name.is_empty() => push_bytes(out, name.bytes()),
            _ => self.push_name(out, node),
        }
    }

    /// Appends what a node is: the name of its row, but for tables without a class.
    pub(super) fn push_name(&mut self, out: &mut Vec<u8>, node: NodeId) -> Result {
        let heap = self.heap;
        match heap.kind(node) {
            Kind::Table | Kind::Userdata => self.push_class(out, node),
            Kind::LuaFunction | Kind::Prototype => push_definition(out, heap, node),
            Kind::CFunction => self.push_c_function(out, node),
            Kind::Thread => self.push_thread(out, node),
            Kind::String => push_bytes(out, heap.source(node)),
            Kind::Upvalue => push_bytes(out, b"(upvalue)"),
            Kind::Snapshot => push_bytes(out, b"(lua-snapshot)"),
            kind @ (Kind::Root | Kind::Cdata | Kind::Trace) => {
                push_bytes(out, kind.type_name().as_bytes())
            }
        }
    }

    fn push_class(&mut self, out: &mut Vec<u8>, node: NodeId) -> Result {
        match self.classes.class_name(node)? {
            // DevTools renames these after their fields.
            Some(b"Object") => push_bytes(out, b"class Object"),
            Some(name) => push_bytes(out, name),
            None => push_bytes(out, self.heap.kind(node).type_name().as_bytes()),
        }
    }

    fn push_c_function(&self, out: &mut Vec<u8>, node: NodeId) -> Result {
        match self.c_functions.get(&node) {
            Some(name) => {
                push_bytes(out, b"[C] ")?;
                push_bytes(out, self.heap.name(*name))
            }
            None => push_bytes(out, b"[C]"),
        }
    }

    fn push_thread(&self, out: &mut Vec<u8>, node: NodeId) -> Result {
        let heap = self.heap;
        if self.main_thread == Some(node) {
            return push_bytes(out, b"main thread");
        }
        push_bytes(out, b"coroutine")?;
        match coroutine_body(heap, node) {
            Some(body) if heap.kind(body) == Kind::LuaFunction => {
                push_bytes(out, b" ")?;
                push_definition(out, heap, body)
            }
            Some(_) => push_bytes(out, b" [C]"),
            None => Ok(()),
        }
    }
}

/// Appends the place where a function is defined: `main.lua:20`, or `main.lua` for the main chunk.
fn push_definition(out: &mut Vec<u8>, heap: &Heap, node: NodeId) -> Result {
    push_bytes(out, heap.source(node))?;
    let line = heap.count(node);
    if line > 0 {
        push_bytes(out, b":")?;
        push_decimal(out, u64::from(line));
    }
    Ok(())
}

/// Returns names for C functions, which have none of their own: the first field that refers to
/// each.
fn c_function_names(heap: &Heap, contents: &Contents) -> Result<FxHashMap<NodeId, NameId>> {
    let mut names = FxHashMap::default();
    for node in contents.nodes() {
        for edge in heap.edge_range(node) {
            let Label::Field(name) = heap.label(edge) else {
                continue;
            };
            let target = heap.target(edge);
            if heap.kind(target) == Kind::CFunction {
                names.try_reserve(1)?;
                names.entry(target).or_insert(name);
            }
        }
    }
    Ok(names)
}
