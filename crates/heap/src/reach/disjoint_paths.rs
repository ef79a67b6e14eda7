//! Paths that share nothing: as long as one of them is left, the object stays alive.
//!
//! The largest number of them is found (by Menger's theorem: a flow of one through each object,
//! found by augmenting paths), not just those that remain after shortest paths are removed.
//!
//! Several paths may lead through one upvalue: it is a variable of several closures, and each of them has to be cut.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::reach::reach::Reach;
use crate::reach::upvalue::value_edge;
use rustc_hash::FxHashMap;

/// A path of references to an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisjointPath {
    /// The object where it starts.
    pub start: NodeId,
    /// The numbers of its [edges](Heap::edge). The first is an edge of `start`.
    pub edges: Vec<u32>,
}

/// Returns at most `most` paths to `target` that share no object except their start, the shortest
/// first. Any path may start at any of `starts`: at [`NodeId::ROOT`], or at an object on all paths,
/// such as the nearest dominator of the target that is no upvalue. They may share upvalues. Empty if `target` is
/// unreachable or one of `starts`.
///
/// Each path takes at worst a pass over everything that the starts keep alive. `reach` is the
/// [`Reach`] of the heap through everything.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Reach, Strength, Through};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// // `_G` has two tables, and both have the same third one.
/// let mut builder = HeapBuilder::new();
/// let mut nodes = [NodeId::ROOT; 4];
/// for (node, address) in nodes.iter_mut().zip([0x10, 0x20, 0x30, 0x40]) {
///     (*node, _) = builder.node(Kind::Table, address)?;
/// }
/// let [globals, left, right, shared] = nodes;
/// let name = builder.name(b"_G")?;
/// builder.edge(NodeId::ROOT, globals, Label::Root(name), Strength::Strong)?;
/// for (from, to, index) in [(globals, left, 1), (globals, right, 2), (left, shared, 3), (right, shared, 4)] {
///     builder.edge(from, to, Label::Index(index), Strength::Strong)?;
/// }
/// let heap = builder.finish()?;
/// let reach = Reach::new(&heap, Through::Everything)?;
///
/// let paths = luasnap_heap::disjoint_paths(&heap, &reach, &[globals], shared, 5)?;
/// assert_eq!(paths.len(), 2); // through `left` and through `right`
/// assert!(paths.iter().all(|path| path.start == globals && path.edges.len() == 2));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out.
pub fn disjoint_paths(
    heap: &Heap,
    reach: &Reach,
    starts: &[NodeId],
    target: NodeId,
    most: usize,
) -> Result<Vec<DisjointPath>, BuildError> {
    if !reach.contains(target) || target == NodeId::ROOT || starts.contains(&target) {
        return Ok(Vec::new());
    }
    let mut alive = Vec::new();
    for &node in starts.iter().filter(|node| reach.contains(**node)) {
        push(&mut alive, node)?;
    }
    let mut flow = Flow {
        heap,
        reach,
        starts: alive,
        target,
        into: FxHashMap::default(),
        last: Vec::new(),
    };
    while flow.last.len() < most && flow.augment()? {}
    flow.paths()
}

/// A step of a path: from an object, by an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Step {
    from: NodeId,
    edge: u32,
}

/// The paths so far.
struct Flow<'a> {
    heap: &'a Heap,
    reach: &'a Reach,
    starts: Vec<NodeId>,
    target: NodeId,
    /// The step by which a path enters each object on it, except the target.
    into: FxHashMap<NodeId, Step>,
    /// The step by which each path enters the target.
    last: Vec<Step>,
}

/// An object has two sides: paths enter at one and leave at the other, and only one path may cross.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    In,
    Out,
}

/// How the search reached a side of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Arrival {
    /// By a reference.
    By(Step),
    /// From the other side.
    Across,
    /// Back along the step by which a path leaves this object for that one.
    Back(NodeId),
}

/// A search for one more path, along references and back along those of the paths found before.
struct Search {
    seen: [NodeSet; 2],
    /// The sides from which to continue, in the order in which they were found.
    queue: Vec<(NodeId, Side)>,
    /// By node: the edge by which the search entered it.
    edges: Vec<u32>,
    /// By node, for each side: the object that the search came from.
    from: [Vec<u32>; 2],
}

/// Stands in `from` for crossing from the other side. No node has this id.
const ACROSS: u32 = u32::MAX;

impl Search {
    fn new(nodes: usize) -> Result<Search, BuildError> {
        Ok(Search {
            seen: [
                NodeSet::with_room_for(nodes)?,
                NodeSet::with_room_for(nodes)?,
            ],
            queue: Vec::new(),
            edges: filled(nodes, 0)?,
            from: [filled(nodes, ACROSS)?, filled(nodes, ACROSS)?],
        })
    }

    /// Visits a side of an object, unless the search has been there.
    fn visit(&mut self, node: NodeId, side: Side, arrival: Arrival) -> Result<(), BuildError> {
        if !self.seen[side as usize].insert(node) {
            return Ok(());
        }
        self.from[side as usize][node.index()] = match arrival {
            Arrival::By(step) => {
                self.edges[node.index()] = step.edge;
                step.from.0
            }
            Arrival::Across => ACROSS,
            Arrival::Back(next) => next.0,
        };
        push(&mut self.queue, (node, side))
    }

    fn arrival(&self, node: NodeId, side: Side) -> Arrival {
        match (self.from[side as usize][node.index()], side) {
            (ACROSS, _) => Arrival::Across,
            (from, Side::In) => Arrival::By(Step {
                from: NodeId(from),
                edge: self.edges[node.index()],
            }),
            (next, Side::Out) => Arrival::Back(NodeId(next)),
        }
    }
}

impl Flow<'_> {
    /// Finds one more path, which may reroute older ones. Returns false if there is none.
    fn augment(&mut self) -> Result<bool, BuildError> {
        let mut search = Search::new(self.heap.node_count())?;
        for &start in &self.starts {
            search.visit(start, Side::Out, Arrival::Across)?;
        }
        // No path leads back into a start.
        for &start in &self.starts {
            search.seen[Side::In as usize].insert(start);
        }
        let mut at = 0;
        while let Some(&(node, side)) = search.queue.get(at) {
            at += 1;
            let last = match side {
                Side::In => {
                    self.cross(&mut search, node)?;
                    None
                }
                Side::Out => self.leave(&mut search, node)?,
            };
            if let Some(last) = last {
                self.last
                    .try_reserve(1)
                    .map_err(|_| BuildError::OutOfMemory)?;
                self.reroute(&search, last)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Continues from the incoming side of an object: across it or, if a path crosses it already,
    /// back along that path.
    fn cross(&self, search: &mut Search, node: NodeId) -> Result<(), BuildError> {
        match self.into.get(&node) {
            None => search.visit(node, Side::Out, Arrival::Across),
            Some(step) => search.visit(step.from, Side::Out, Arrival::Back(node)),
        }
    }

    /// Continues from the outgoing side of an object. Returns the last step if it leads to the
    /// target.
    fn leave(&self, search: &mut Search, node: NodeId) -> Result<Option<Step>, BuildError> {
        if self.into.contains_key(&node) {
            search.visit(node, Side::In, Arrival::Across)?;
        }
        for edge in self.heap.edge_range(node) {
            let Some(to) = self.end(edge) else { continue };
            if search.seen[Side::In as usize].contains(to) || !self.reach.holds(self.heap, edge) {
                continue;
            }
            let step = Step {
                from: node,
                edge: edge as u32,
            };
            if to != self.target {
                search.visit(to, Side::In, Arrival::By(step))?;
            } else if !self.last.contains(&step) {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    /// Returns where an edge leads: to the value of an upvalue, not to the upvalue itself.
    fn end(&self, edge: usize) -> Option<NodeId> {
        match self.upvalue(edge) {
            Some(upvalue) => value_edge(self.heap, upvalue).map(|edge| self.heap.target(edge)),
            None => Some(self.heap.target(edge)),
        }
    }

    /// Returns the upvalue that an edge leads through.
    fn upvalue(&self, edge: usize) -> Option<NodeId> {
        let to = self.heap.target(edge);
        (self.heap.kind(to) == Kind::Upvalue && to != self.target).then_some(to)
    }

    /// Adds the path that was found. Tracing it back from its end shows which steps are new, and
    /// which objects are no longer crossed.
    fn reroute(&mut self, search: &Search, last: Step) -> Result<(), BuildError> {
        let (mut node, mut side) = (last.from, Side::Out);
        self.last.push(last);
        while side == Side::In || !self.starts.contains(&node) {
            (node, side) = match search.arrival(node, side) {
                Arrival::By(step) => {
                    self.into
                        .try_reserve(1)
                        .map_err(|_| BuildError::OutOfMemory)?;
                    self.into.insert(node, step);
                    (step.from, Side::Out)
                }
                Arrival::Across if side == Side::Out => (node, Side::In),
                Arrival::Across => {
                    self.into.remove(&node);
                    (node, Side::Out)
                }
                Arrival::Back(next) => (next, Side::In),
            };
        }
        Ok(())
    }

    fn paths(&self) -> Result<Vec<DisjointPath>, BuildError> {
        let mut paths = Vec::new();
        for &last in &self.last {
            let mut edges = Vec::new();
            let mut step = last;
            self.push_step(&mut edges, step)?;
            while let Some(&before) = self.into.get(&step.from) {
                self.push_step(&mut edges, before)?;
                step = before;
            }
            edges.reverse();
            push(
                &mut paths,
                DisjointPath {
                    start: step.from,
                    edges,
                },
            )?;
        }
        sort_by_number(&mut paths, |path| path.edges.len() as u64)?;
        Ok(paths)
    }

    /// Appends the edges of a step, the last one first.
    fn push_step(&self, edges: &mut Vec<u32>, step: Step) -> Result<(), BuildError> {
        let upvalue = self.upvalue(step.edge as usize);
        if let Some(value) = upvalue.and_then(|upvalue| value_edge(self.heap, upvalue)) {
            push(edges, value as u32)?;
        }
        push(edges, step.edge)
    }
}
