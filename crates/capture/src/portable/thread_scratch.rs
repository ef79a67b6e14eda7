//! Memory for walking threads, reused from one to the next.

use crate::lua::debug_record::DebugRecord;
use crate::lua::private_state::Vararg;
use crate::lua::stack_slots::StackSlots;
use crate::lua::state::State;
use crate::lua::thread_calls::ThreadCalls;
use crate::version::Version;
use luasnap_heap::{BuildError, HeapBuilder, NameId, NodeId};
use rustc_hash::{FxHashMap, FxHashSet};

/// Memory for walking threads, reused from one to the next.
pub(super) struct ThreadScratch {
    pub(super) record: DebugRecord,
    pub(super) sources: Sources,
    /// The slots of the thread being walked.
    pub(super) slots: StackSlots,
    /// What its calls say it is doing.
    pub(super) calls: ThreadCalls,
    pub(super) varargs: Vec<HiddenVararg>,
    pub(super) varargs_here: Vec<Vararg>,
    /// Those that are too far from the top for an index.
    pub(super) far_varargs: Vec<HiddenVararg>,
    pub(super) known_varargs: FxHashSet<(NodeId, NodeId, NameId)>,
    /// Whether the stacks of this 5.1 are laid out as we know them, once that was asked.
    pub(super) knows_stack_51: Option<bool>,
}

/// An extra argument on a 5.1 stack, whose object may be reached by other means.
#[derive(Clone, Copy)]
pub(super) struct HiddenVararg {
    pub(super) thread: State,
    pub(super) node: NodeId,
    pub(super) label: NameId,
    pub(super) vararg: Vararg,
}

impl ThreadScratch {
    pub(super) fn new(version: Version) -> ThreadScratch {
        ThreadScratch {
            record: DebugRecord::new(version),
            sources: Sources::default(),
            slots: StackSlots::default(),
            calls: ThreadCalls::default(),
            varargs: Vec::new(),
            varargs_here: Vec::new(),
            far_varargs: Vec::new(),
            known_varargs: FxHashSet::default(),
            knows_stack_51: None,
        }
    }
}

/// The names of short sources, by the address of the full source's text.
pub(super) struct Sources {
    names: FxHashMap<u64, NameId>,
    last: (u64, NameId),
}

impl Default for Sources {
    fn default() -> Self {
        Sources {
            names: FxHashMap::default(),
            last: (0, NameId::EMPTY),
        }
    }
}

impl Sources {
    /// The name of the source in `record`.
    pub(super) fn name(
        &mut self,
        builder: &mut HeapBuilder,
        record: &DebugRecord,
    ) -> Result<NameId, BuildError> {
        let address = record.source_address();
        if self.last.0 == address {
            return Ok(self.last.1);
        }
        let name = match self.names.get(&address) {
            Some(&name) => name,
            None => {
                let name = builder.name(record.short_source())?;
                self.names.try_reserve(1)?;
                self.names.insert(address, name);
                name
            }
        };
        self.last = (address, name);
        Ok(name)
    }
}
