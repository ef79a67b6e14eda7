//! What is compared: whole snapshots, and tables of the groups that earlier ones had.

use crate::compare::compare_error::CompareError;
use crate::compare::group_table::GroupTable;
use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::groups::group::Groups;
use crate::groups::pattern_set::PatternSet;
use crate::reach::shortest_path_tree::ShortestPathTree;
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// One of the things that are compared.
#[derive(Clone, Debug)]
pub(crate) enum GrowthStep {
    /// A snapshot.
    Whole(Snapshot),
    /// What is left of one.
    Table(GroupTable),
}

impl GrowthStep {
    /// Returns the heap that has the names of the groups, and their examples.
    pub(crate) fn heap(&self) -> &Heap {
        match self {
            GrowthStep::Whole(snapshot) => snapshot.everything(),
            GrowthStep::Table(table) => table.heap(),
        }
    }

    /// Returns the shortest paths in that heap.
    pub(crate) fn tree(&self) -> Result<&ShortestPathTree, BuildError> {
        match self {
            GrowthStep::Whole(snapshot) => snapshot.everything_tree(),
            GrowthStep::Table(table) => Ok(table.tree()),
        }
    }

    /// Returns what it generalises by itself.
    pub(crate) fn pattern_set(&self) -> Result<&PatternSet, BuildError> {
        match self {
            GrowthStep::Whole(snapshot) => Ok(&snapshot.groups()?.pattern_set),
            GrowthStep::Table(table) => Ok(table.pattern_set()),
        }
    }

    /// Returns the groups, with `general` generalised: mostly that is what a snapshot itself generalises.
    pub(crate) fn grouped(&self, general: &PatternSet) -> Result<Arc<Groups>, BuildError> {
        match self {
            GrowthStep::Whole(snapshot) => {
                let own = snapshot.shared_groups()?;
                match own.pattern_set == *general {
                    true => Ok(Arc::clone(own)),
                    false => Ok(Arc::new(Groups::new(snapshot.grouped()?, general)?)),
                }
            }
            GrowthStep::Table(table) => Ok(Arc::new(table.folded(general)?)),
        }
    }

    /// Returns the bytes of all objects, given its groups.
    pub(crate) fn bytes(&self, groups: &Groups) -> u64 {
        match self {
            GrowthStep::Whole(_) => {
                let sizes = groups.groups().iter().map(|group| group.shallow);
                sizes.fold(0, u64::saturating_add)
            }
            GrowthStep::Table(table) => table.bytes(),
        }
    }
}

/// Checks that there are two at least, and that all are of one VM, root and engine.
pub(crate) fn expect_comparable(steps: &[GrowthStep]) -> Result<(), CompareError> {
    let [first, others @ ..] = steps else {
        return Err(CompareError::TooFew(0));
    };
    if others.is_empty() {
        return Err(CompareError::TooFew(1));
    }
    let is_difference =
        |of: &GrowthStep| matches!(of, GrowthStep::Whole(snapshot) if snapshot.is_difference());
    if let Some(at) = steps.iter().position(is_difference) {
        return Err(CompareError::Difference(at + 1));
    }
    let is_empty = |of: &GrowthStep| of.heap().root_range().is_empty();
    if let Some(at) = steps.iter().position(is_empty) {
        return Err(CompareError::Empty(at + 1));
    }
    let a = first.heap();
    for (second, other) in (2..).zip(others) {
        let b = other.heap();
        let (of_a, of_b) = (a.provenance(), b.provenance());
        if of_a.vm != of_b.vm {
            let name = |vm: &str| match vm {
                "" => "an unknown VM".to_owned(),
                vm => vm.to_owned(),
            };
            return Err(CompareError::Vms {
                first: 1,
                a: name(&of_a.vm),
                second,
                b: name(&of_b.vm),
            });
        }
        if root_name(a) != root_name(b) {
            return Err(CompareError::Roots {
                first: 1,
                a: root_name(a),
                second,
                b: root_name(b),
            });
        }
        if of_a.engine != of_b.engine {
            return Err(CompareError::Engines {
                first: 1,
                a: of_a.engine.name(),
                second,
                b: of_b.engine.name(),
            });
        }
    }
    Ok(())
}

/// Returns the name of the first root.
fn root_name(heap: &Heap) -> String {
    let first = heap.root_range().next();
    match first.map(|edge| heap.label(edge)) {
        Some(Label::Root(name)) => String::from_utf8_lossy(heap.name(name)).into_owned(),
        _ => "nothing".to_owned(),
    }
}
