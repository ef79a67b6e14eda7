//! Dominators where few objects have several holders.
//!
//! What one object alone holds is dominated by it. What several hold and what holds nothing itself is dominated by
//! their nearest common dominator: a *shared leaf*. Only the rest, objects that several hold and that hold others,
//! needs [Lengauer and Tarjan's algorithm](crate::dominators::lengauer_tarjan), together with all through which
//! a path leads to them: the *core*. It has every holder of its nodes, so every path.

use crate::dominators::dfs_numbering::DfsNumbering;
use crate::dominators::holding_edges::HoldingEdges;
use crate::dominators::lengauer_tarjan::immediate_dominators;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::reach::reach::Reach;

/// One node in so many is looked at to guess how many nodes are shared.
const SAMPLED: usize = 64;

/// The immediate dominators of all reachable nodes but shared leaves.
pub(crate) struct Contraction<'a> {
    /// By node, of reachable nodes that are no shared leaves: the immediate dominator.
    pub(super) immediate: Vec<NodeId>,
    /// What several objects hold and what holds nothing.
    pub(super) shared_leaves: NodeSet,
    pub(super) reach: &'a Reach,
}

impl<'a> Contraction<'a> {
    /// Finds the dominators of a heap; `None` if the core would be most of it.
    pub(crate) fn new(
        heap: &Heap,
        holding: &'a HoldingEdges<'_>,
    ) -> Result<Option<Contraction<'a>>, BuildError> {
        if heap.node_count() == 0 || is_densely_shared(heap)? {
            return Ok(None);
        }
        let reach = holding.reach()?;
        let Holders {
            holders,
            mut shared,
            inner,
        } = Holders::new(heap, holding, reach)?;
        let shared_leaves = shared.split_off(&inner)?;
        let mut contraction = Contraction {
            immediate: holders,
            shared_leaves,
            reach,
        };
        if shared.is_empty() {
            return Ok(Some(contraction));
        }
        let most = contraction.reach.count() / 2;
        match contraction.core(heap, holding, &shared, most)? {
            Some(core) => contraction.settle(holding, heap, &core)?,
            None => return Ok(None),
        }
        Ok(Some(contraction))
    }

    /// Returns all nodes through which paths lead to what is `shared` and holds others, these included; `None` if
    /// they are more than `most`.
    fn core(
        &self,
        heap: &Heap,
        holding: &HoldingEdges<'_>,
        shared: &NodeSet,
        most: usize,
    ) -> Result<Option<NodeSet>, BuildError> {
        let mut core = NodeSet::with_room_for(heap.node_count())?;
        core.insert(NodeId::ROOT);
        let mut count = 0;
        for node in self.reach.nodes() {
            let mut leads_to_shared = false;
            holding.for_each(node, |target| {
                leads_to_shared |= shared.contains(target) && target != node;
                Ok(())
            })?;
            let mut above = node;
            // Each object that refers to a shared one is looked at, so the way up ends there.
            while leads_to_shared && core.insert(above) {
                count += 1;
                leads_to_shared = !shared.contains(above);
                above = self.immediate[above.index()];
            }
            if count > most {
                return Ok(None);
            }
        }
        // Those that refer to no other shared one.
        core.add_all(shared);
        Ok(Some(core))
    }

    /// Finds the dominators in the core.
    fn settle(
        &mut self,
        holding: &HoldingEdges<'_>,
        heap: &Heap,
        core: &NodeSet,
    ) -> Result<(), BuildError> {
        let search = DfsNumbering::within(holding, heap.node_count(), core)?;
        let dominated = immediate_dominators(search)?;
        for (node, dominator) in dominated.nodes.iter().zip(&dominated.dominators) {
            self.immediate[node.index()] = dominated.nodes[*dominator as usize];
        }
        Ok(())
    }
}

/// Guesses whether most objects that hold others have several holders.
fn is_densely_shared(heap: &Heap) -> Result<bool, BuildError> {
    let mut references = filled(heap.node_count().div_ceil(SAMPLED), 0u8)?;
    for target in &heap.targets {
        if target.index().is_multiple_of(SAMPLED) {
            let known = &mut references[target.index() / SAMPLED];
            *known = known.saturating_add(1);
        }
    }
    let is_shared = |(at, references): (usize, &u8)| {
        let node = NodeId((at * SAMPLED) as u32);
        *references > 1 && !heap.edge_range(node).is_empty()
    };
    let shared = references.iter().enumerate().filter(|one| is_shared(*one));
    Ok(2 * shared.count() > references.len())
}

/// Who holds what.
struct Holders {
    /// By node: its first holder other than itself.
    holders: Vec<NodeId>,
    /// The nodes that have several.
    shared: NodeSet,
    /// The nodes that hold others.
    inner: NodeSet,
}

impl Holders {
    fn new(heap: &Heap, holding: &HoldingEdges<'_>, reach: &Reach) -> Result<Holders, BuildError> {
        /// Stands for no holder. No node has this id.
        const NONE: NodeId = NodeId(u32::MAX);
        let mut holders = filled(heap.node_count(), NONE)?;
        let mut shared = NodeSet::with_room_for(heap.node_count())?;
        let mut inner = NodeSet::with_room_for(heap.node_count())?;
        for node in reach.nodes() {
            let mut holds_others = false;
            holding.for_each(node, |target| {
                if target == node || target == NodeId::ROOT {
                    return Ok(());
                }
                holds_others = true;
                let holder = &mut holders[target.index()];
                if *holder == NONE {
                    *holder = node;
                } else if *holder != node {
                    shared.insert(target);
                }
                Ok(())
            })?;
            if holds_others {
                inner.insert(node);
            }
        }
        Ok(Holders {
            holders,
            shared,
            inner,
        })
    }
}
