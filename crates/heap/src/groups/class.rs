//! Classes: names for objects that share a metatable.
//!
//! The name is the metatable's `__name`, or the path that leads to the metatable, such as
//! `_G.Player`. A path through one of the objects says nothing, and one through the stack of a
//! thread says little. Then another reference to the metatable, or to the table in its `__index`,
//! may give a better name.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::label_order::in_order;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::strength::Strength;
use crate::groups::path_map::PathMap;
use crate::groups::path_pattern::{GroupStep, PatternId, many_names};
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// The name of a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClassName {
    /// The metatable's `__name`.
    Own(NameId),
    /// The pattern of the path to the metatable, or to the table of methods.
    HeldBy(PatternId),
}

/// The classes of a heap, by their metatables.
#[derive(Default)]
pub(crate) struct Classes {
    by_metatable: FxHashMap<NodeId, Option<ClassName>>,
}

impl Classes {
    /// Finds the names of the metatables in use.
    pub(crate) fn new(
        heap: &Heap,
        tree: &ShortestPathTree,
        map: &mut PathMap,
    ) -> Result<Classes, BuildError> {
        let mut classes = Classes::default();
        let metatables = classes.collect(heap, tree)?;
        if metatables.is_empty() {
            return Ok(classes);
        }
        let search = Search {
            heap,
            tree,
            rank_of: ranks_by_node(heap, tree)?,
            doubts: doubts(heap, tree)?,
        };
        search.name_all(&metatables, map, &mut classes.by_metatable)?;
        Ok(classes)
    }

    /// Returns the name of an object's class; `None` if it has no class or the class has no name.
    pub(crate) fn of(&self, heap: &Heap, node: NodeId) -> Option<ClassName> {
        if self.by_metatable.is_empty() {
            return None;
        }
        let metatable = metatable_of(heap, node)?;
        self.by_metatable.get(&metatable).copied().flatten()
    }

    /// Returns the metatables in use, each once.
    fn collect(&mut self, heap: &Heap, tree: &ShortestPathTree) -> Result<Vec<NodeId>, BuildError> {
        let mut metatables = Vec::new();
        for node in heap.nodes().filter(|node| tree.contains(*node)) {
            let Some(metatable) = metatable_of(heap, node) else {
                continue;
            };
            self.by_metatable.try_reserve(1)?;
            if self.by_metatable.insert(metatable, None).is_none() {
                push(&mut metatables, metatable)?;
            }
        }
        Ok(metatables)
    }
}

/// Returns the metatable of a table or a userdata.
pub(crate) fn metatable_of(heap: &Heap, node: NodeId) -> Option<NodeId> {
    if !matches!(heap.kind(node), Kind::Table | Kind::Userdata) {
        return None;
    }
    let mut edges = heap.edge_range(node);
    let edge = edges.find(|&edge| heap.labels[edge].is_metatable())?;
    Some(heap.target(edge))
}

/// Returns the rank of each node in the tree, by node.
fn ranks_by_node(heap: &Heap, tree: &ShortestPathTree) -> Result<Vec<Rank>, BuildError> {
    let mut ranks = filled(heap.node_count(), Rank::ROOT)?;
    for rank in tree.ranks() {
        ranks[tree.node(rank).index()] = rank;
    }
    Ok(ranks)
}

/// How bad a path is as a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Doubt {
    None,
    /// It leads through the stack of a thread, whose names do not last.
    Stack,
    /// It leads through an object that has the metatable: not a name.
    Object,
}

impl Doubt {
    fn of_step(heap: &Heap, edge: usize) -> Doubt {
        if heap.labels[edge].is_metatable() {
            return Doubt::Object;
        }
        match heap.label(edge) {
            Label::Local(_) => Doubt::Stack,
            _ => Doubt::None,
        }
    }
}

/// Returns how bad each path is as a name, by rank.
fn doubts(heap: &Heap, tree: &ShortestPathTree) -> Result<Vec<Doubt>, BuildError> {
    let mut doubts = filled(tree.len(), Doubt::None)?;
    for rank in tree.ranks() {
        let above = tree.parent(rank).map(|parent| doubts[parent.index()]);
        let own = Doubt::of_step(heap, tree.edge(rank));
        doubts[rank.index()] = own.max(above.unwrap_or(Doubt::None));
    }
    Ok(doubts)
}

/// A reference to a table, and how bad its path is as a name.
#[derive(Clone, Copy)]
struct Retainer {
    doubt: Doubt,
    rank: Rank,
    edge: usize,
}

struct Search<'a> {
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    /// By node; meaningless if the node is not in use.
    rank_of: Vec<Rank>,
    /// By rank.
    doubts: Vec<Doubt>,
}

impl Search<'_> {
    fn name_all(
        &self,
        metatables: &[NodeId],
        map: &mut PathMap,
        names: &mut FxHashMap<NodeId, Option<ClassName>>,
    ) -> Result<(), BuildError> {
        let retainers = self.retainers(metatables)?;
        let chosen = |metatable: NodeId| {
            let tables = [Some(metatable), self.methods(metatable)];
            let of_table = |table: NodeId| retainers.get(&table).copied();
            let retainers = tables.into_iter().flatten().filter_map(of_table);
            let named = retainers.filter(|retainer| retainer.doubt != Doubt::Object);
            // The first of those with the least doubt.
            named.min_by_key(|retainer| retainer.doubt)
        };
        let is_unnamed = |metatable: &NodeId| self.own_name(*metatable).is_none();
        let unnamed = metatables.iter().copied().filter(is_unnamed);
        let mut held: FxHashMap<Rank, u32> = FxHashMap::default();
        for retainer in unnamed.filter_map(chosen) {
            held.try_reserve(1)?;
            *held.entry(retainer.rank).or_default() += 1;
        }
        for &metatable in metatables {
            let name = match (self.own_name(metatable), chosen(metatable)) {
                (Some(name), _) => Some(ClassName::Own(name)),
                (None, Some(retainer)) => {
                    let many = many_names(held[&retainer.rank]);
                    Some(ClassName::HeldBy(self.pattern(retainer, many, map)?))
                }
                (None, None) => None,
            };
            names.insert(metatable, name);
        }
        Ok(())
    }

    fn own_name(&self, metatable: NodeId) -> Option<NameId> {
        let name = self.field(metatable, b"__name", Kind::String)?;
        Some(self.heap.source_id(name)).filter(|name| *name != NameId::EMPTY)
    }

    /// Returns the table in which the objects look up missing fields. The table of globals does not make a
    /// class.
    fn methods(&self, metatable: NodeId) -> Option<NodeId> {
        let methods = self.field(metatable, b"__index", Kind::Table)?;
        (self.heap.globals != Some(methods)).then_some(methods)
    }

    /// Returns what a table has under a name, if it is of this kind.
    fn field(&self, table: NodeId, name: &[u8], kind: Kind) -> Option<NodeId> {
        let is_it = |edge: &usize| {
            let heap = self.heap;
            heap.kind(heap.target(*edge)) == kind
                && matches!(heap.label(*edge), Label::Field(id) if heap.name(id) == name)
        };
        let edge = self.heap.edge_range(table).find(is_it)?;
        Some(self.heap.target(edge))
    }

    /// Returns the best references to the metatables without `__name` and to their tables of methods: those
    /// on the shortest path, or any other one with a better name. Takes a pass over all references.
    fn retainers(&self, metatables: &[NodeId]) -> Result<FxHashMap<NodeId, Retainer>, BuildError> {
        let mut retainers: FxHashMap<NodeId, Retainer> = FxHashMap::default();
        let mut is_wanted = NodeSet::with_room_for(self.heap.node_count())?;
        let mut wanted = 0;
        for &metatable in metatables {
            if self.own_name(metatable).is_some() {
                continue;
            }
            let tables = [Some(metatable), self.methods(metatable)];
            for table in tables.into_iter().flatten() {
                let Some(retainer) = self.retainer_on_path(table) else {
                    continue;
                };
                if retainer.doubt != Doubt::None && is_wanted.insert(table) {
                    wanted += 1;
                }
                retainers.try_reserve(1)?;
                retainers.insert(table, retainer);
            }
        }
        if wanted > 0 {
            self.improve(&mut retainers, &is_wanted);
        }
        Ok(retainers)
    }

    /// Returns the last reference on the shortest path to a table; `None` if it is not in use.
    fn retainer_on_path(&self, table: NodeId) -> Option<Retainer> {
        let rank = self.rank_of[table.index()];
        self.tree.contains(table).then(|| Retainer {
            doubt: self.doubts[rank.index()],
            rank: self.tree.parent(rank).unwrap_or(Rank::ROOT),
            edge: self.tree.edge(rank),
        })
    }

    /// Looks for better references to the wanted tables.
    fn improve(&self, retainers: &mut FxHashMap<NodeId, Retainer>, is_wanted: &NodeSet) {
        for node in self.heap.nodes().skip(1) {
            let rank = self.rank_of[node.index()];
            let doubt = self.doubts[rank.index()];
            let is_in_use = self.tree.contains(node) && self.heap.kind(node) != Kind::Snapshot;
            if !is_in_use || doubt == Doubt::Object {
                continue;
            }
            for edge in self.heap.edge_range(node) {
                let target = self.heap.target(edge);
                if is_wanted.contains(target)
                    && self.heap.strength(edge) == Strength::Strong
                    && let Some(known) = retainers.get_mut(&target)
                {
                    let doubt = doubt.max(Doubt::of_step(self.heap, edge));
                    let other = Retainer { doubt, rank, edge };
                    *known = self.better(*known, other);
                }
            }
        }
    }

    /// Returns the better one of two references; among equals, the one that comes first in the tree.
    fn better(&self, a: Retainer, b: Retainer) -> Retainer {
        let order = (a.doubt, a.rank).cmp(&(b.doubt, b.rank));
        let is_first = match order {
            Ordering::Equal => in_order(self.heap, a.edge as u32, b.edge as u32),
            order => order == Ordering::Less,
        };
        if is_first { a } else { b }
    }

    /// Returns the pattern of the path through a reference. The last name is kept, unless the retainer has
    /// many of them.
    fn pattern(
        &self,
        retainer: Retainer,
        many: bool,
        map: &mut PathMap,
    ) -> Result<PatternId, BuildError> {
        let child = self.heap.target(retainer.edge);
        let on_path = self.rank_of[child.index()];
        let is_on_path = self.tree.edge(on_path) == retainer.edge;
        let above = map.pattern_of[retainer.rank.index()];
        let kind = self.heap.kind(child);
        let step = match self.heap.label(retainer.edge) {
            Label::Field(name) if !map.patterns.is_start(map.pattern_of[on_path.index()]) => {
                let is_known = map.known_names.as_ref().is_some_and(|of| of.contains(name));
                match many && !is_known {
                    true => GroupStep::AnyName,
                    false => GroupStep::Exact(Label::Field(name)),
                }
            }
            _ if is_on_path => return Ok(map.pattern_of[on_path.index()]),
            Label::Value => return map.patterns.beside(self.heap, above, kind),
            Label::Index(_)
            | Label::Number(_)
            | Label::Boolean(_)
            | Label::Object(_)
            | Label::Address(..) => GroupStep::AnyKey,
            label => GroupStep::Exact(label),
        };
        map.patterns.below(self.heap, Some(above), kind, step)
    }
}
