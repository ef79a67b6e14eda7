//! The object graph of a Lua heap and its analyses.
//!
//! The crate never touches a VM and does no I/O. A capture builds a [`Heap`] with a [`SweepBuilder`] or a
//! [`HeapBuilder`]; the analyses work on its columns:
//!
//! * [`ShortestPathTree`]: the shortest path to each object from a GC root;
//! * [`Dominators`]: dominators and retained sizes;
//! * [`Groups`]: objects by class, place in the source, owner or path pattern;
//! * [`retainers_of`], [`disjoint_paths`]: what keeps an object alive;
//! * [`increase`], [`decrease`], [`Growth`]: what changed between snapshots, and leak suspects;
//! * [`Census`], [`Waste`]: objects by kind, and wasted memory;
//! * [`Owners`]: objects by the plugins and folders of source whose code holds them.
//!
//! A [`Snapshot`] is a heap with what was derived from it so far.
//!
//! # Examples
//!
//! ```
//! use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
//! # fn main() -> Result<(), luasnap_heap::BuildError> {
//! // `_G.sessions` has two tables of 100 bytes.
//! let mut builder = HeapBuilder::new();
//! let (globals, _) = builder.node(Kind::Table, 0x10)?;
//! let (sessions, _) = builder.node(Kind::Table, 0x20)?;
//! let root = Label::Root(builder.name(b"_G")?);
//! let field = Label::Field(builder.name(b"sessions")?);
//! builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
//! builder.edge(globals, sessions, field, Strength::Strong)?;
//! for (index, address) in [(1, 0x30), (2, 0x40)] {
//!     let (session, _) = builder.node(Kind::Table, address)?;
//!     builder.set_size(session, 100);
//!     builder.edge(sessions, session, Label::Index(index), Strength::Strong)?;
//! }
//! let snapshot = Snapshot::new(builder.finish()?);
//!
//! assert_eq!(snapshot.len()?, 4);
//! let retained = snapshot.dominators()?.retained(sessions);
//! assert_eq!((retained.count, retained.bytes), (3, 200));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

#[cfg(test)]
mod both_ways;
mod build;
mod columns;
mod compare;
mod count;
mod dominators;
mod graph;
mod groups;
mod known_trees;
mod on_demand;
mod owners;
mod printable;
mod reach;
mod snapshot;
mod stored_groups;
mod stored_trees;

pub use build::objects_view::objects_view;
pub use build::sweep_builder::{Listed, SweepBuilder};
pub use build::thread_notes::ThreadNote;
pub use build::walk_builder::{HeapBuilder, OpenEdges};
pub use columns::{ColumnError, Columns, LARGE_SIZE, StoredColumns, StoredDifference};
pub use compare::compare_error::CompareError;
pub use compare::difference::{decrease, increase};
pub use compare::group_table::GroupTable;
pub use compare::growth::{GroupGrowth, Growth};
pub use compare::path_growth::path_growth;
pub use compare::subtree_growth::SubtreeGrowth;
pub use compare::suspect::Suspect;
pub use count::census::{Census, KindCensus, unaccounted};
pub use count::finalizers::count_with_finalizer;
pub use count::waste::{Duplicates, RepeatedText, SparseTables, Waste, WastedSlots};
pub use count::weak_tables::{
    LastingEntries, WeakMode, WhyEntriesStay, lasting_entries, weak_mode,
};
pub use dominators::children::{ChildFold, DominatorChildren};
pub use dominators::dominator_tree::Dominators;
pub use dominators::known_dominators::ImmediateDominators;
pub use graph::allocation_order::{AllocationOrder, Mark, Run, RunOrder};
pub use graph::birthmark::Birthmark;
pub use graph::change::Change;
pub use graph::environment::Environment;
pub use graph::error::BuildError;
pub use graph::heap::{Edge, Heap};
pub use graph::kind::Kind;
pub use graph::label::{Label, PackedLabel};
pub use graph::loaded_code::{CodeShape, LOADED_SOURCE, LoadedCode, given_name};
pub use graph::name::{NameId, Names};
pub use graph::node::NodeId;
pub use graph::prefetch::prefetch;
pub use graph::provenance::{Engine, Process, ProcessMemory, Provenance, SharedObjects};
pub use graph::shared_sort::sort_by_number;
pub use graph::sparse_table::{SlotSizes, SparseTable};
pub use graph::strength::Strength;
pub use graph::tally::Tally;
pub use graph::thread_state::{CodePlace, ThreadState, ThreadStatus};
pub use groups::changed_groups::{ChangedGroups, Resized};
pub use groups::class::ClassName;
pub use groups::coroutine::{CoroutineName, coroutine_body};
pub use groups::fingerprint::{FINGERPRINT_RULE, Fingerprint};
pub use groups::group::{Group, GroupName, GroupOrder, Groups};
pub use groups::path_pattern::{GroupStep, PathPatterns, PatternId, StoredPattern};
pub use groups::path_start::PathStarts;
pub use groups::path_tallies::{PathTallies, PathTally};
pub use groups::string_owners::{MAX_OWNERS, OwnerGroupsId};
pub use owners::joint_owners::MAX_SHARERS;
pub use owners::owned::{Owner, OwnerKind, Owners, Sharing};
pub use printable::{Printable, is_printable};
pub use reach::disjoint_paths::{DisjointPath, disjoint_paths};
pub use reach::rank_index::RankIndex;
pub use reach::reach::{Reach, Through};
pub use reach::retainers::{Retainer, references_to_itself, retainers_of};
pub use reach::shortest_path_tree::{Rank, ShortestPathTree};
pub use reach::upvalue::value_edge;
pub use reach::walk::{Visit, Walk};
pub use reach::weak_step::{PATH_RULE, WeakSteps};
pub use snapshot::Snapshot;
pub use stored_groups::StoredGroups;
pub use stored_trees::{DOMINATOR_RULE, StoredTrees};
