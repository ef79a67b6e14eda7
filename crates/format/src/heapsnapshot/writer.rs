//! The rows of a file, in order.

use crate::answer_error::Result;
use crate::heapsnapshot::contents::{self, Contents, NODE_FIELDS};
use crate::heapsnapshot::edge_row::{self, EdgeNames, EdgeType};
use crate::heapsnapshot::node_row::{NodeNames, NodeType};
use crate::heapsnapshot::object_id::ObjectIds;
use crate::heapsnapshot::strings::Strings;
use crate::labels::digits::push_decimal;
use crate::sink::Sink;
use luasnap_heap::{Heap, Snapshot};
use std::io;

/// Writes the reachable objects of a snapshot as `.heapsnapshot`: JSON that Chrome DevTools and memlab open.
///
/// Every object has its shallow size in bytes, up to 4 GiB less a byte, and an id that is the same in another
/// snapshot of the same process, unless it is a table of another size by then.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// let snapshot = Snapshot::new(builder.finish()?);
///
/// let mut out = Vec::new();
/// luasnap_format::write_heapsnapshot(&mut out, &snapshot)?;
/// let text = String::from_utf8(out)?;
/// assert!(text.starts_with(r#"{"snapshot":{"meta":{"#));
/// assert!(text.contains(r#""node_count":3"#)); // the root, the node of GC roots, and `_G`
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`AnswerError::Io`](crate::AnswerError::Io) if `out` fails; [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
/// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit 32-bit numbers.
/// [`AnswerError::TooMany`](crate::AnswerError::TooMany) beyond 613 million objects, which the format cannot hold.
pub fn write_heapsnapshot(out: &mut dyn io::Write, snapshot: &Snapshot) -> Result {
    let heap = snapshot.everything();
    let contents = Contents::new(heap)?;
    let mut writer = Writer {
        out: Sink::new(out)?,
        heap,
        contents: &contents,
        node_names: NodeNames::new(snapshot, &contents)?,
        edge_names: EdgeNames::default(),
        strings: Strings::new(heap, &contents)?,
        row: Vec::new(),
        is_first: true,
    };
    writer.put_header()?;
    writer.put_nodes()?;
    writer.put_edges()?;
    writer.put_rest()
}

/// The largest size that the format can express, in bytes.
const LARGEST_SIZE: u64 = u32::MAX as u64;

/// The meaning of the numbers in the rows. The names of the types are in the order of [`NodeType`] and
/// [`EdgeType`]. Samples and locations are there because some readers require them.
const META: &str = concat!(
    r#"{"snapshot":{"meta":{"#,
    r#""node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],"#,
    r#""node_types":[["hidden","array","string","object","code","closure","regexp","number","#,
    r#""native","synthetic","concatenated string","sliced string","symbol","bigint","#,
    r#""object shape"],"string","number","number","number","number","number"],"#,
    r#""edge_fields":["type","name_or_index","to_node"],"#,
    r#""edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"#,
    r#""string_or_number","node"],"#,
    r#""trace_function_info_fields":["function_id","name","script_name","script_id","line","#,
    r#""column"],"#,
    r#""trace_node_fields":["id","function_info_index","count","size","children"],"#,
    r#""sample_fields":["timestamp_us","last_assigned_id"],"#,
    r#""location_fields":["object_index","script_id","line","column"]}"#,
);

struct Writer<'a> {
    out: Sink<'a>,
    heap: &'a Heap,
    contents: &'a Contents,
    node_names: NodeNames<'a>,
    edge_names: EdgeNames,
    strings: Strings<'a>,
    row: Vec<u8>,
    /// Whether the next row is the first one of its array.
    is_first: bool,
}

impl Writer<'_> {
    fn put_header(&mut self) -> io::Result<()> {
        let (nodes, edges) = (self.contents.row_count(), self.contents.edge_count());
        self.out.put(META.as_bytes())?;
        let counts = format!(
            ",\"node_count\":{nodes},\"edge_count\":{edges},\"trace_function_count\":0}},\n"
        );
        self.out.put(counts.as_bytes())
    }

    fn put_nodes(&mut self) -> Result {
        let (heap, contents) = (self.heap, self.contents);
        let ids = ObjectIds::new(heap, contents)?;
        self.begin("nodes")?;
        let roots = contents.root_count(heap);
        let root = self.strings.text(b"")?;
        self.put_node(NodeType::Synthetic, root, ObjectIds::ROOT, 0, roots + 1)?;
        let gc_roots = self.strings.text(b"(GC roots)")?;
        self.put_node(NodeType::Synthetic, gc_roots, ObjectIds::GC_ROOTS, 0, roots)?;
        let mut pairs = contents.pairs();
        for node in contents.nodes() {
            let name = self.node_names.name(node, &mut self.strings)?;
            let edges = contents.edges(heap, node).count() + pairs.of_key(node).len();
            let size = heap.size(node).min(LARGEST_SIZE);
            let kind = NodeType::of(heap.kind(node));
            self.put_node(kind, name, ids.of(node), size, edges)?;
        }
        Ok(self.end()?)
    }

    fn put_edges(&mut self) -> Result {
        let (heap, contents) = (self.heap, self.contents);
        self.begin("edges")?;
        self.put_edge(EdgeType::Element, 1, contents::GC_ROOTS)?;
        for _ in ["the root", "(GC roots)"] {
            for edge in contents.root_edges(heap) {
                self.put_reference(edge)?;
            }
        }
        let mut pairs = contents.pairs();
        for node in contents.nodes() {
            for edge in contents.edges(heap, node) {
                self.put_reference(edge)?;
            }
            for pair in pairs.of_key(node) {
                let name = self.strings.text(edge_row::VALUE_OF_KEY)?;
                let value = contents.ordinal(heap.target(pair.edge as usize));
                self.put_edge(EdgeType::Internal, name, value)?;
            }
        }
        Ok(self.end()?)
    }

    fn put_rest(&mut self) -> Result {
        for name in ["trace_function_infos", "trace_tree", "samples", "locations"] {
            self.begin(name)?;
            self.end()?;
        }
        self.out.put(b"\"strings\":[")?;
        self.strings.write(&mut self.out)?;
        self.out.put(b"]}\n")?;
        Ok(self.out.flush()?)
    }

    fn begin(&mut self, name: &str) -> io::Result<()> {
        self.is_first = true;
        self.out.put(format!("\"{name}\":[").as_bytes())
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.put(b"],\n")
    }

    #[inline]
    fn put_node(
        &mut self,
        kind: NodeType,
        name: u32,
        id: u32,
        size: u64,
        edges: usize,
    ) -> io::Result<()> {
        let (name, id) = (u64::from(name), u64::from(id));
        self.put_row([kind as u64, name, id, size, edges as u64, 0, 0])
    }

    /// Writes a reference of the heap.
    #[inline]
    fn put_reference(&mut self, edge: usize) -> Result {
        let heap = self.heap;
        self.contents.read_ahead(heap, edge);
        let (strings, nodes) = (&mut self.strings, &mut self.node_names);
        let (kind, name) = self.edge_names.of(heap, edge, nodes, strings)?;
        Ok(self.put_edge(kind, name, self.contents.ordinal(heap.target(edge)))?)
    }

    #[inline]
    fn put_edge(&mut self, kind: EdgeType, name: u32, target: u32) -> io::Result<()> {
        let place = u64::from(target) * NODE_FIELDS;
        self.put_row([kind as u64, u64::from(name), place])
    }

    #[inline]
    fn put_row<const FIELDS: usize>(&mut self, fields: [u64; FIELDS]) -> io::Result<()> {
        self.row.clear();
        for field in fields {
            if !std::mem::take(&mut self.is_first) {
                self.row.push(b',');
            }
            push_decimal(&mut self.row, field);
        }
        self.row.push(b'\n');
        self.out.put(&self.row)
    }
}
