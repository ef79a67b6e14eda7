//! Classes: what the objects that share a metatable are called.
//!
//! A metatable says it itself (`__name`), or it is called by the chain that leads to it,
//! `_G.Player`. A chain that leads through one of the objects says nothing; then another reference
//! to the metatable may, or the chain to the table that its `__index` is.

use crate::chain::{ChainTree, Rank};
use crate::error::BuildError;
use crate::generalised_path::{GroupStep, PathId, PathMap, many_names};
use crate::grow::{filled, push};
use crate::heap::Heap;
use crate::kind::Kind;
use crate::label::Label;
use crate::label_order::in_order;
use crate::name::NameId;
use crate::node::NodeId;
use crate::node_set::NodeSet;
use crate::strength::Strength;
use rustc_hash::FxHashMap;

/// What a class is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClassName {
    /// What the metatable's `__name` says.
    Own(NameId),
    /// The chain that leads to the metatable, or to the table of methods.
    HeldBy(PathId),
}

/// The classes of a heap, by their metatables.
#[derive(Default)]
pub(crate) struct Classes {
    by_metatable: FxHashMap<NodeId, Option<ClassName>>,
}

impl Classes {
    /// Finds what the metatables in use are called.
    pub(crate) fn new(
        heap: &Heap,
        tree: &ChainTree,
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
            behind_metatable: behind_metatables(heap, tree)?,
        };
        search.name_all(&metatables, map, &mut classes.by_metatable)?;
        Ok(classes)
    }

    /// What an object's class is called, if it has one that has a name.
    pub(crate) fn of(&self, heap: &Heap, node: NodeId) -> Option<ClassName> {
        if self.by_metatable.is_empty() {
            return None;
        }
        let metatable = metatable_of(heap, node)?;
        self.by_metatable.get(&metatable).copied().flatten()
    }

    /// The metatables in use, each once.
    fn collect(&mut self, heap: &Heap, tree: &ChainTree) -> Result<Vec<NodeId>, BuildError> {
        let mut metatables = Vec::new();
        for node in heap.nodes().filter(|node| tree.refs(*node) > 0) {
            let Some(metatable) = metatable_of(heap, node) else {
                continue;
            };
            let reserved = self.by_metatable.try_reserve(1);
            reserved.map_err(|_| BuildError::OutOfMemory)?;
            if self.by_metatable.insert(metatable, None).is_none() {
                push(&mut metatables, metatable)?;
            }
        }
        Ok(metatables)
    }
}

/// The metatable of a table or a userdata.
pub(crate) fn metatable_of(heap: &Heap, node: NodeId) -> Option<NodeId> {
    if !matches!(heap.kind(node), Kind::Table | Kind::Userdata) {
        return None;
    }
    let mut edges = heap.edge_range(node);
    let edge = edges.find(|&edge| heap.labels[edge].is_metatable())?;
    Some(heap.target(edge))
}

/// By node: where it is in the tree.
fn ranks_by_node(heap: &Heap, tree: &ChainTree) -> Result<Vec<Rank>, BuildError> {
    let mut ranks = filled(heap.node_count(), Rank::ROOT)?;
    for rank in tree.ranks() {
        ranks[tree.node(rank).index()] = rank;
    }
    Ok(ranks)
}

/// By rank: whether the chain leads through a metatable of some object.
fn behind_metatables(heap: &Heap, tree: &ChainTree) -> Result<Vec<bool>, BuildError> {
    let mut behind = filled(tree.len(), false)?;
    for rank in tree.ranks() {
        let above = tree
            .parent(rank)
            .is_some_and(|parent| behind[parent.index()]);
        behind[rank.index()] = above || heap.labels[tree.edge(rank)].is_metatable();
    }
    Ok(behind)
}

/// How a table is held by something that has a name itself.
#[derive(Clone, Copy)]
struct Holder {
    rank: Rank,
    edge: usize,
}

struct Search<'a> {
    heap: &'a Heap,
    tree: &'a ChainTree,
    /// By node; of no meaning where the node is not in use.
    rank_of: Vec<Rank>,
    /// By rank.
    behind_metatable: Vec<bool>,
}

impl Search<'_> {
    fn name_all(
        &self,
        metatables: &[NodeId],
        map: &mut PathMap,
        names: &mut FxHashMap<NodeId, Option<ClassName>>,
    ) -> Result<(), BuildError> {
        let others = self.other_holders(metatables)?;
        let holder = |table: NodeId| {
            let on_chain = self.holder_on_chain(table);
            on_chain.or_else(|| others.get(&table).copied().flatten())
        };
        let chosen = |metatable: NodeId| {
            let of_methods = || holder(self.methods(metatable)?);
            holder(metatable).or_else(of_methods)
        };
        let unnamed = || {
            let has_no_name = |metatable: &NodeId| self.own_name(*metatable).is_none();
            metatables.iter().copied().filter(has_no_name)
        };
        let mut held: FxHashMap<Rank, u32> = FxHashMap::default();
        for holder in unnamed().filter_map(chosen) {
            let reserved = held.try_reserve(1);
            reserved.map_err(|_| BuildError::OutOfMemory)?;
            *held.entry(holder.rank).or_default() += 1;
        }
        for &metatable in metatables {
            let name = match self.own_name(metatable) {
                Some(name) => Some(ClassName::Own(name)),
                None => match chosen(metatable) {
                    Some(holder) => {
                        let many = many_names(held[&holder.rank]);
                        Some(ClassName::HeldBy(self.path(holder, many, map)?))
                    }
                    None => None,
                },
            };
            names.insert(metatable, name);
        }
        Ok(())
    }

    fn own_name(&self, metatable: NodeId) -> Option<NameId> {
        let name = self.field(metatable, b"__name", Kind::String)?;
        Some(self.heap.source_id(name)).filter(|name| *name != NameId::EMPTY)
    }

    /// The table in which its objects look up what they have not. One that looks up globals is no
    /// class.
    fn methods(&self, metatable: NodeId) -> Option<NodeId> {
        let methods = self.field(metatable, b"__index", Kind::Table)?;
        (self.heap.globals != Some(methods)).then_some(methods)
    }

    /// What a table has under a name.
    fn field(&self, table: NodeId, name: &[u8], kind: Kind) -> Option<NodeId> {
        let is_it = |edge: &usize| {
            let heap = self.heap;
            heap.kind(heap.target(*edge)) == kind
                && matches!(heap.label(*edge), Label::Field(id) if heap.name(id) == name)
        };
        let edge = self.heap.edge_range(table).find(is_it)?;
        Some(self.heap.target(edge))
    }

    /// What holds a table on its shortest chain, if that chain tells a name.
    fn holder_on_chain(&self, table: NodeId) -> Option<Holder> {
        let rank = self.rank_of[table.index()];
        let has_name = self.tree.refs(table) > 0 && !self.behind_metatable[rank.index()];
        has_name.then(|| Holder {
            rank: self.tree.parent(rank).unwrap_or(Rank::ROOT),
            edge: self.tree.edge(rank),
        })
    }

    /// For the metatables and the tables of methods whose shortest chain tells nothing: the first
    /// other thing that holds them and has a name itself. Goes through all references once.
    fn other_holders(
        &self,
        metatables: &[NodeId],
    ) -> Result<FxHashMap<NodeId, Option<Holder>>, BuildError> {
        let mut holders: FxHashMap<NodeId, Option<Holder>> = FxHashMap::default();
        let mut is_wanted = NodeSet::with_room_for(self.heap.node_count())?;
        for &metatable in metatables {
            if self.own_name(metatable).is_some() {
                continue;
            }
            let tables = [Some(metatable), self.methods(metatable)];
            for table in tables.into_iter().flatten() {
                if self.holder_on_chain(table).is_none() && is_wanted.insert(table) {
                    let reserved = holders.try_reserve(1);
                    reserved.map_err(|_| BuildError::OutOfMemory)?;
                    holders.insert(table, None);
                }
            }
        }
        if holders.is_empty() {
            return Ok(holders);
        }
        for node in self.heap.nodes().skip(1) {
            let rank = self.rank_of[node.index()];
            let has_name = self.tree.refs(node) > 0 && !self.behind_metatable[rank.index()];
            if !has_name || self.heap.kind(node) == Kind::Snapshot {
                continue;
            }
            for edge in self.heap.edge_range(node) {
                let target = self.heap.target(edge);
                if is_wanted.contains(target)
                    && self.heap.strength(edge) == Strength::Strong
                    && !self.heap.labels[edge].is_metatable()
                    && let Some(known) = holders.get_mut(&target)
                {
                    let other = Holder { rank, edge };
                    *known = Some(known.map_or(other, |known| self.first(known, other)));
                }
            }
        }
        Ok(holders)
    }

    /// The one of two holders that comes first in the tree.
    fn first(&self, a: Holder, b: Holder) -> Holder {
        let is_first = match a.rank == b.rank {
            true => in_order(self.heap, a.edge as u32, b.edge as u32),
            false => a.rank < b.rank,
        };
        if is_first { a } else { b }
    }

    /// The path by which a holder has a table. The last name stays, unless the holder has many of
    /// them.
    fn path(&self, holder: Holder, many: bool, map: &mut PathMap) -> Result<PathId, BuildError> {
        let child = self.heap.target(holder.edge);
        let on_chain = self.rank_of[child.index()];
        let is_on_chain = self.tree.edge(on_chain) == holder.edge;
        let above = map.path_of[holder.rank.index()];
        let kind = self.heap.kind(child);
        let step = match self.heap.label(holder.edge) {
            Label::Field(name) if !map.paths.is_start(map.path_of[on_chain.index()]) => {
                let is_known = map.known_names.as_ref().is_some_and(|of| of.contains(name));
                match many && !is_known {
                    true => GroupStep::AnyName,
                    false => GroupStep::Exact(Label::Field(name)),
                }
            }
            _ if is_on_chain => return Ok(map.path_of[on_chain.index()]),
            Label::Value => return map.paths.beside(self.heap, above, kind),
            Label::Index(_)
            | Label::Number(_)
            | Label::Boolean(_)
            | Label::Object(_)
            | Label::Address(..) => GroupStep::AnyKey,
            label => GroupStep::Exact(label),
        };
        map.paths.below(self.heap, Some(above), kind, step)
    }
}
