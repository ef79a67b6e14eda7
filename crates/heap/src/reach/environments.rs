//! Which tables are the environments of code, and at which of them paths for people start.
//!
//! Hosts run scripts whose globals are a table of their own. What leads there is often a reference of C code, a
//! stack or the upvalue of some function. Then the code that has the environment says best what it is.

use crate::graph::environment::Environment;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push, room};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::loaded_code::given_name;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use crate::reach::upvalue::value_edge;
use crate::reach::weak_step::WeakSteps;
use rustc_hash::FxHashMap;

/// Returns the table in which a Lua function finds its global variables: its environment (5.1, LuaJIT), or the
/// value of its upvalue `_ENV`.
pub(crate) fn environment_of(heap: &Heap, function: NodeId) -> Option<NodeId> {
    let mut edges = heap.edge_range(function);
    let held = heap.target(edges.find(|edge| is_environment(heap, heap.label(*edge)))?);
    let table = value_edge(heap, held).map_or(held, |edge| heap.target(edge));
    (heap.kind(table) == Kind::Table).then_some(table)
}

/// Whether an edge of a Lua function leads to the table in which it finds its global variables: it is the first with
/// such a label that leads to an object.
pub(crate) fn is_environment_edge(heap: &Heap, function: NodeId, edge: usize) -> bool {
    let leads = |target: NodeId| match value_edge(heap, target) {
        Some(inner) => heap.kind(heap.target(inner)).is_object(),
        None => heap.kind(target).is_object(),
    };
    let is_environment = |edge: usize| is_environment(heap, heap.label(edge));
    let mut before = heap.edge_range(function).take_while(|other| *other < edge);
    is_environment(edge) && !before.any(|edge| is_environment(edge) && leads(heap.target(edge)))
}

/// Whether a function has its globals there.
fn is_environment(heap: &Heap, label: Label) -> bool {
    match label {
        Label::Environment => true,
        Label::Upvalue(name) => heap.name(name) == b"_ENV",
        _ => false,
    }
}

/// Returns the environments at which paths for people start, in the order of their nodes: those whose own path has
/// a [weak step](WeakSteps), or ends at the environment of a function. An excerpt has those of the whole heap.
pub(crate) fn path_starts(
    heap: &Heap,
    tree: &ShortestPathTree,
) -> Result<Vec<Environment>, BuildError> {
    if let Some(known) = &heap.environments {
        let mut starts = room(known.len())?;
        starts.extend_from_slice(known);
        return Ok(starts);
    }
    let mut chunks = Chunks::default();
    if let Some(globals) = heap.globals {
        let functions = heap
            .nodes()
            .filter(|node| heap.kind(*node) == Kind::LuaFunction && tree.contains(*node));
        for function in functions {
            let environment = environment_of(heap, function);
            if let Some(table) = environment.filter(|table| *table != globals) {
                chunks.add(table, heap, function)?;
            }
        }
    }
    starts_among(heap, tree, &chunks)
}

/// Returns those of `chunks` at which paths start.
pub(crate) fn starts_among(
    heap: &Heap,
    tree: &ShortestPathTree,
    chunks: &Chunks,
) -> Result<Vec<Environment>, BuildError> {
    let chunks = &chunks.0;
    if chunks.is_empty() {
        return Ok(Vec::new());
    }
    let mut is_candidate = NodeSet::with_room_for(heap.node_count())?;
    for &node in chunks.keys() {
        is_candidate.insert(node);
    }
    let weak_steps = WeakSteps::of(heap);
    let mut starts = Vec::new();
    // By rank: whether the path, from where it starts for people, has a weak step.
    let mut is_weak = filled(tree.len(), false)?;
    for rank in tree.ranks() {
        let (node, parent) = (tree.node(rank), tree.parent(rank));
        let source = parent.map_or(NodeId::ROOT, |parent| tree.node(parent));
        let mut weak = parent.is_some_and(|parent| is_weak[parent.index()])
            || weak_steps.weight(heap, source, tree.edge(rank)) > 0;
        if heap.globals == Some(node) {
            weak = false;
        } else if is_candidate.contains(node)
            && (weak || is_environment(heap, last_step(heap, tree, rank)))
        {
            let chunk = chunks.get(&node).copied().unwrap_or(NameId::EMPTY);
            push(&mut starts, Environment { node, chunk })?;
            weak = false;
        }
        is_weak[rank.index()] = weak;
    }
    sort_by_number(&mut starts, |start| u64::from(start.node.0))?;
    Ok(starts)
}

/// Returns the last step of a path: to the value of an upvalue, that of the upvalue.
fn last_step(heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> Label {
    match (heap.label(tree.edge(rank)), tree.parent(rank)) {
        (Label::Value, Some(upvalue)) => heap.label(tree.edge(upvalue)),
        (label, _) => label,
    }
}

/// The environments of code in use but for the table of globals, each with the name of the chunk that it is called
/// by: the first one in the order of bytes.
#[derive(Default)]
pub(crate) struct Chunks(FxHashMap<NodeId, NameId>);

impl Chunks {
    /// Adds the environment of a function of `heap`.
    pub(crate) fn add(
        &mut self,
        environment: NodeId,
        heap: &Heap,
        function: NodeId,
    ) -> Result<(), BuildError> {
        let source = heap.source_id(function);
        let chunk = match given_name(heap.name(source)) {
            Some(_) => source,
            None => NameId::EMPTY,
        };
        self.0.try_reserve(1)?;
        let known = self.0.entry(environment).or_insert(chunk);
        let is_first = || heap.name(chunk) < heap.name(*known);
        if chunk != NameId::EMPTY && (*known == NameId::EMPTY || is_first()) {
            *known = chunk;
        }
        Ok(())
    }
}
