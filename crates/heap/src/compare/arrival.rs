//! What came while a program was watched: the best examples of what grows.

use crate::compare::object_changes::ObjectChanges;
use crate::dominators::dominator_tree::Dominators;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::node::NodeId;
use crate::groups::group::Groups;
use crate::reach::shortest_path_tree::Rank;
use crate::snapshot::Snapshot;

/// The objects of the last of several snapshots that the first does not have, or that grew since.
pub(crate) struct Arrivals<'a> {
    last: &'a Snapshot,
    dominators: &'a Dominators,
    changes: Option<&'a ObjectChanges>,
}

impl<'a> Arrivals<'a> {
    /// Takes what the last snapshot has more than the first; all that it has, if that is not known.
    pub(crate) fn new(
        last: &'a Snapshot,
        changes: Option<&'a ObjectChanges>,
    ) -> Result<Self, BuildError> {
        Ok(Arrivals {
            last,
            dominators: last.dominators()?,
            changes,
        })
    }

    /// Returns how much an object is worth as an example: what it retains if it is new, else by how many bytes
    /// and entries it grew. 0 for what stayed the same.
    fn gain(&self, node: NodeId) -> (u64, u32) {
        let changes = self.changes.filter(|changes| !changes.alone.contains(node));
        let Some(changes) = changes else {
            // Objects of unknown size came as well.
            return (self.dominators.retained(node).bytes.max(1), 0);
        };
        let larger = changes.larger(node);
        larger.map_or((0, 0), |larger| (larger.bytes, larger.entries))
    }

    /// Returns the best example of each group of the last snapshot, the first in its tree among equals; `None`
    /// where nothing came.
    pub(crate) fn examples(&self, groups: &Groups) -> Result<Vec<Option<Rank>>, BuildError> {
        let mut examples = filled(groups.groups().len(), None)?;
        let mut gains = filled(groups.groups().len(), (0, 0))?;
        let tree = self.last.everything_tree()?;
        for rank in tree.ranks() {
            let node = tree.node(rank);
            if let Some(group) = groups.group_of(node) {
                let gain = self.gain(node);
                if gain > gains[group] {
                    (gains[group], examples[group]) = (gain, Some(rank));
                }
            }
        }
        Ok(examples)
    }

    /// Returns the best example among objects that `point` dominates; `None` if none of them came.
    pub(crate) fn example_below(&self, members: &[NodeId], point: NodeId) -> Option<NodeId> {
        let below = self.dominators.subtree(point);
        let is_below = |node: &NodeId| {
            let place = self.dominators.place(*node);
            place.is_some_and(|place| below.contains(&place))
        };
        let mut best = ((0, 0), None);
        for &node in members.iter().filter(|node| is_below(node)) {
            let gain = self.gain(node);
            if gain > best.0 {
                best = (gain, Some(node));
            }
        }
        best.1
    }
}
