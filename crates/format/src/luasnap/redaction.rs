//! Which names go into a file, and what stands in the place of the others.
//!
//! A dump of a heap has every secret that the program holds. So a string's text can be left out,
//! unless it is the key of a table, and the names by which things are held as well.

use crate::answer_error::Result;
use crate::luasnap::save_options::SaveOptions;
use luasnap_heap::{Heap, Kind, Label, NameId, NodeId, StoredColumns};

/// What a name is used for; if for several things, the last of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Use {
    /// The text of a string that is a value, or nothing any more.
    Text,
    /// Where code is from.
    Source,
    /// A slot of a stack.
    Local,
    Upvalue,
    Key,
    /// A root, whose name is not the program's but ours.
    Root,
}

/// How the text of code that was no file begins in a short source, and what becomes of it: it is
/// the beginning of a string that was a value.
const CODE: &[u8] = b"[string \"";
const NO_CODE: &[u8] = b"[string \"...\"]";

/// Which names go into a file.
pub(super) struct Redaction {
    options: SaveOptions,
    /// By name; empty where all of them do.
    uses: Vec<Use>,
}

impl Redaction {
    pub(super) fn new(heap: &Heap, options: SaveOptions) -> Result<Redaction> {
        let mut uses = Vec::new();
        if !(options.strings && options.names) {
            let columns = heap.columns();
            uses.try_reserve_exact(columns.names.len())?;
            uses.resize(columns.names.len(), Use::Text);
            note_sources(&columns, &mut uses);
            note_labels(heap, &columns, &mut uses);
        }
        Ok(Redaction { options, uses })
    }

    /// Whether every name goes into the file as it is.
    pub(super) fn is_nothing(&self) -> bool {
        self.uses.is_empty()
    }

    /// What goes into the file for a name, appended to `out`.
    pub(super) fn push(&self, heap: &Heap, name: NameId, out: &mut Vec<u8>) -> Result {
        let bytes = heap.name(name);
        let stand_in;
        let parts: [&[u8]; 2] = match self.uses[name.0 as usize] {
            _ if bytes.is_empty() => return Ok(()),
            Use::Text if self.options.strings => [bytes, b""],
            Use::Text => return Ok(()),
            Use::Root => [bytes, b""],
            used if !self.options.names => {
                stand_in = format!("{}#{}", used.word(), name.0);
                [stand_in.as_bytes(), b""]
            }
            Use::Source | Use::Local => without_code(bytes),
            Use::Upvalue | Use::Key => [bytes, b""],
        };
        for part in parts {
            out.try_reserve(part.len())?;
            out.extend_from_slice(part);
        }
        Ok(())
    }
}

impl Use {
    /// What stands before the number of a name that is left out.
    fn word(self) -> &'static str {
        match self {
            Use::Text | Use::Root => "",
            Use::Source => "source",
            Use::Local => "local",
            Use::Upvalue => "upvalue",
            Use::Key => "key",
        }
    }
}

/// A source, or the name of a slot that ends in one, without the code.
fn without_code(bytes: &[u8]) -> [&[u8]; 2] {
    match bytes.windows(CODE.len()).position(|at| at == CODE) {
        Some(code) => [&bytes[..code], NO_CODE],
        None => [bytes, b""],
    }
}

fn note(uses: &mut [Use], name: NameId, used: Use) {
    let known = &mut uses[name.0 as usize];
    *known = used.max(*known);
}

/// A source is that of code, unless it is a string's text.
fn note_sources(columns: &StoredColumns<'_>, uses: &mut [Use]) {
    for (kind, source) in columns.kinds.iter().zip(columns.sources) {
        if *kind != Kind::String {
            note(uses, *source, Use::Source);
        }
    }
}

fn note_labels(heap: &Heap, columns: &StoredColumns<'_>, uses: &mut [Use]) {
    for edge in (0..heap.node_count() as u32).flat_map(|node| heap.edge_range(NodeId(node))) {
        match heap.label(edge) {
            Label::Field(name) => note(uses, name, Use::Key),
            Label::Upvalue(name) => note(uses, name, Use::Upvalue),
            Label::Local(name) => note(uses, name, Use::Local),
            Label::Root(name) => note(uses, name, Use::Root),
            Label::Key => {
                let target = heap.target(edge);
                if heap.kind(target) == Kind::String {
                    note(uses, columns.sources[target.index()], Use::Key);
                }
            }
            _ => {}
        }
    }
}
