//! Finding objects by address or by path.

use crate::answer_error::{AnswerError, Result};
use crate::labels::object_label::object_name;
use crate::labels::path::push_step;
use crate::labels::printable::push_printable;
use crate::query::suggestions::Nearest;
use luasnap_heap::{Heap, Kind, Label, NodeId};

/// Why an object was not found, and what is near.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// No object is at the address.
    #[error("no object lies at {address:#x}{}", neighbours(near))]
    Address {
        /// The address.
        address: u64,
        /// The nearest objects, as they are printed.
        near: Vec<String>,
    },
    /// The path leads nowhere.
    #[error("{} has no '{missing}'{}", place(above), suggestions(near))]
    Path {
        /// The part of the path that was found; empty if its first step was not.
        above: String,
        /// The step that was not found, and what follows it.
        missing: String,
        /// Similar steps that exist.
        near: Vec<String>,
    },
    /// Memory ran out.
    #[error(transparent)]
    Failed(#[from] AnswerError),
}

fn neighbours(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [nearest] => format!("; the nearest is {nearest}"),
        near => format!("; the nearest are {}", near.join(" and ")),
    }
}

fn place(above: &str) -> &str {
    match above {
        "" => "the snapshot",
        above => above,
    }
}

/// Returns suggestions, as the end of a sentence.
pub(crate) fn suggestions(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; is it {}?", near.join(" or ")),
    }
}

/// Returns the address in a word: `0x5581d0`, also after a type or the name of a class, as
/// `snapshot.print` and Lua's `tostring` show it (`table:0x5581d0`, `table: 0x5581d0`,
/// `Player: 0x5581d0`). `None` if the word is not an address.
pub fn address_of(word: &[u8]) -> Option<u64> {
    let word = String::from_utf8_lossy(word);
    let digits = match word.rsplit_once(':') {
        Some((name, address)) => {
            let is_type = || Kind::ALL.iter().any(|kind| kind.type_name() == name.trim());
            let address = address.trim_end();
            let is_shown = address.starts_with(' ') || is_type();
            address.trim_start().strip_prefix("0x").filter(|_| is_shown)
        }
        None => word.trim().strip_prefix("0x"),
    };
    u64::from_str_radix(digits?, 16).ok()
}

/// Returns the object at an address.
///
/// # Errors
///
/// [`LookupError::Address`], with the nearest objects, if there is none.
pub fn object_at(heap: &Heap, address: u64) -> Result<NodeId, LookupError> {
    let nodes = || heap.nodes().skip(1);
    if let Some(node) = nodes().find(|node| heap.address(*node) == address) {
        return Ok(node);
    }
    let below = nodes()
        .filter(|node| heap.address(*node) < address)
        .max_by_key(|node| heap.address(*node));
    let above = nodes()
        .filter(|node| heap.address(*node) > address)
        .min_by_key(|node| heap.address(*node));
    let near = below.into_iter().chain(above);
    Err(LookupError::Address {
        address,
        near: near.map(|node| object_name(heap, node)).collect(),
    })
}

/// Returns the object at a path, with steps as they are printed: `_G.sessions.[1].name`.
///
/// The path starts at `_G`, at a GC root (`[REGISTRY]`), or at the name of a global variable. Bytes that a
/// terminal cannot show may be given as they are, or escaped as they are printed.
///
/// # Errors
///
/// [`LookupError::Path`], with similar steps, if the path leads nowhere; [`LookupError::Failed`] if memory runs
/// out.
pub fn object_by_path(heap: &Heap, path: &[u8]) -> Result<NodeId, LookupError> {
    let mut printed = Vec::new();
    push_printable(&mut printed, path)?;
    let path = &printed[..];
    let mut cursor = PathCursor {
        heap,
        path,
        at: 0,
        step: Vec::new(),
        digits: Vec::new(),
    };
    let mut node = cursor.start()?;
    while cursor.at < path.len() {
        node = cursor.follow_step(node)?;
    }
    Ok(node)
}

/// A path, and how far it has been followed.
struct PathCursor<'a> {
    heap: &'a Heap,
    path: &'a [u8],
    /// The number of bytes already followed.
    at: usize,
    step: Vec<u8>,
    digits: Vec<u8>,
}

impl PathCursor<'_> {
    /// Returns the object where the path starts.
    fn start(&mut self) -> Result<NodeId, LookupError> {
        let globals = self.heap.globals();
        if let (Some(globals), true) = (globals, self.is_next(0, b"_G")) {
            self.at = 2;
            return Ok(globals);
        }
        match self.follow_step(NodeId::ROOT) {
            Err(LookupError::Path { .. }) if globals.is_some() => {
                self.follow_step(globals.unwrap_or(NodeId::ROOT))
            }
            root => root,
        }
    }

    /// Whether the path has this step at `at`, and not just one that starts like it.
    fn is_next(&self, at: usize, step: &[u8]) -> bool {
        let rest = &self.path[at..];
        rest.starts_with(step)
            && !step.is_empty()
            && matches!(rest.get(step.len()), None | Some(b'.' | b'['))
    }

    /// Follows a step: the longest one that fits, since names may contain dots.
    fn follow_step(&mut self, from: NodeId) -> Result<NodeId, LookupError> {
        let start = self.at + usize::from(self.at > 0 && self.path.get(self.at) == Some(&b'.'));
        let mut found = None;
        for edge in edges_of(self.heap, from) {
            self.render(self.heap.label(edge))?;
            let length = self.step.len();
            if found.is_none_or(|(_, longest)| length > longest) && self.is_next(start, &self.step)
            {
                found = Some((edge, length));
            }
        }
        let Some((edge, length)) = found else {
            return Err(self.lost(from, start));
        };
        self.at = start + length;
        Ok(through_upvalue(self.heap, self.heap.target(edge)))
    }

    fn render(&mut self, label: Label) -> Result {
        self.step.clear();
        push_step(&mut self.step, self.heap, label, &mut self.digits)
    }

    /// Returns the error for a path that leads no farther than `from`.
    fn lost(&mut self, from: NodeId, start: usize) -> LookupError {
        let rest = &self.path[start..];
        let end = rest
            .iter()
            .skip(1)
            .position(|byte| matches!(byte, b'.' | b'['));
        let mut nearest = Nearest::to(&rest[..end.map_or(rest.len(), |end| end + 1)]);
        for edge in edges_of(self.heap, from) {
            if let Err(error) = self.render(self.heap.label(edge)) {
                return error.into();
            }
            nearest.see(&self.step);
        }
        // Cut between steps, so these are whole characters.
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        LookupError::Path {
            above: text(&self.path[..self.at]),
            missing: text(rest),
            near: nearest.words(),
        }
    }
}

/// Returns the edges of a node; for the root, which an empty heap does not have, the GC roots.
fn edges_of(heap: &Heap, node: NodeId) -> std::ops::Range<usize> {
    match node {
        NodeId::ROOT => heap.root_range(),
        node => heap.edge_range(node),
    }
}

/// Returns the value of an upvalue, since a path has no step for the upvalue itself; any other node
/// unchanged.
fn through_upvalue(heap: &Heap, node: NodeId) -> NodeId {
    if heap.kind(node) != Kind::Upvalue {
        return node;
    }
    let mut edges = heap.edges(node);
    let value = edges.find(|edge| edge.label == Label::Value);
    value.map_or(node, |edge| edge.target)
}
