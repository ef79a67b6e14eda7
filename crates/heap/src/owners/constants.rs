//! Whose code names a global.

use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::owners::evidence::OwnerId;
use crate::owners::joint_owners::JointOwners;
use crate::owners::places::strong_fields;
use crate::owners::sources::Sources;
use rustc_hash::FxHashMap;

/// The owners of the code that has the names of globals as constants.
pub(crate) struct Constants {
    /// By the name of a global.
    owners: FxHashMap<NameId, OwnerId>,
    /// Whether any code is known with its constants. The portable engine sees none.
    pub(crate) are_known: bool,
}

impl Constants {
    /// Looks for the names in tables of globals among the constants of live code.
    pub(crate) fn new(
        heap: &Heap,
        globals: &[NodeId],
        (sources, joint): (&Sources<'_>, &mut JointOwners),
        is_live: impl Fn(NodeId) -> bool,
    ) -> Result<Constants, BuildError> {
        let mut constants = Constants {
            owners: FxHashMap::default(),
            are_known: false,
        };
        let names = globals.iter().flat_map(|table| strong_fields(heap, *table));
        for (name, _) in names {
            constants.owners.try_reserve(1)?;
            constants.owners.insert(name, OwnerId::NONE);
        }
        let is_code = |node: &NodeId| heap.kind(*node) == Kind::Prototype;
        for code in heap.nodes().filter(is_code).filter(|node| is_live(*node)) {
            constants.are_known = true;
            let owner = sources.of_code(code);
            for edge in heap
                .edges(code)
                .filter(|edge| edge.label == Label::Constant)
            {
                if heap.kind(edge.target) == Kind::String
                    && let Some(known) = constants.owners.get_mut(&heap.source_id(edge.target))
                {
                    *known = joint.join(*known, owner)?;
                }
            }
        }
        Ok(constants)
    }

    /// Returns the owner of the code that names a global, or the owners if several do.
    pub(crate) fn of(&self, global: NameId) -> OwnerId {
        let owner = self.owners.get(&global).copied();
        owner.unwrap_or(OwnerId::NONE)
    }
}
