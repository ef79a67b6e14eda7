//! Threads' states while a heap is built, and what only the whole heap tells about them: the names of
//! their functions, and which of several that are active runs.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::{NameId, Names};
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::thread_state::{ThreadState, ThreadStatus};
use crate::reach::reach::Reach;
use rustc_hash::FxHashMap;

/// A thread's state, as a capture found it on the thread's stack.
#[derive(Clone, Copy, Debug)]
pub struct ThreadNote {
    /// Its state, without the name of its function.
    pub state: ThreadState,
    /// Its innermost Lua function.
    pub function: Option<NodeId>,
    /// The Lua function that called it.
    pub caller: Option<NodeId>,
    /// Whether it may have resumed another thread although its state says that it runs: nothing tells
    /// which thread runs, and its innermost function is in C.
    pub may_resume: bool,
    /// That function in C, if it is an object.
    pub c_function: Option<NodeId>,
}

impl ThreadNote {
    /// Returns the note of a thread of which nothing else is known.
    pub fn new(state: ThreadState) -> ThreadNote {
        ThreadNote {
            state,
            function: None,
            caller: None,
            may_resume: false,
            c_function: None,
        }
    }
}

/// The notes of all threads.
#[derive(Debug, Default)]
pub(crate) struct ThreadNotes {
    notes: Vec<ThreadNote>,
}

impl ThreadNotes {
    pub(crate) fn add(&mut self, note: ThreadNote) -> Result<(), BuildError> {
        push(&mut self.notes, note)
    }

    /// Gives the states to a heap whose edges are complete.
    pub(crate) fn finish(mut self, heap: &mut Heap, names: &mut Names) -> Result<(), BuildError> {
        if self.notes.is_empty() {
            return Ok(());
        }
        sort_by_number(&mut self.notes, |note| u64::from(note.state.node.0))?;
        self.settle_running(heap);
        self.name_functions(heap, names)?;
        heap.threads.try_reserve_exact(self.notes.len())?;
        let states = self.notes.iter().map(|note| note.state);
        heap.threads.extend(states);
        Ok(())
    }

    /// From outside nothing says which thread runs. Of several that are active, one that is in a C
    /// function which has another of them has resumed that.
    fn settle_running(&mut self, heap: &Heap) {
        let is_active = |note: &ThreadNote| note.state.status == ThreadStatus::Running;
        if self.notes.iter().filter(|note| is_active(note)).count() < 2 {
            return;
        }
        let active = |notes: &[ThreadNote], node: NodeId| {
            let found = notes.binary_search_by_key(&node, |note| note.state.node);
            found.is_ok_and(|at| is_active(&notes[at]))
        };
        for at in 0..self.notes.len() {
            let note = self.notes[at];
            if !note.may_resume || !is_active(&note) {
                continue;
            }
            let upvalues = note
                .c_function
                .map_or(0..0, |function| heap.edge_range(function));
            let held = heap
                .edge_range(note.state.node)
                .chain(upvalues)
                .map(|edge| heap.target(edge));
            let others = &self.notes;
            let resumes = held
                .filter(|target| *target != note.state.node)
                // What is already known to have resumed one still counts: it is not the last.
                .any(|target| active(others, target) || resumed(others, target));
            if resumes {
                self.notes[at].state.status = ThreadStatus::Normal;
            }
        }
    }

    /// Names functions as the program does: by the upvalue or the local variable through which they
    /// were called, else by a field that has them.
    fn name_functions(&mut self, heap: &Heap, names: &mut Names) -> Result<(), BuildError> {
        let mut known: FxHashMap<(NodeId, Option<NodeId>), NameId> = FxHashMap::default();
        let mut wanted: FxHashMap<NodeId, NameId> = FxHashMap::default();
        for note in &mut self.notes {
            let Some(function) = note.function else {
                continue;
            };
            let key = (function, note.caller);
            if let Some(name) = known.get(&key) {
                note.state.function = *name;
                continue;
            }
            let upvalue = note
                .caller
                .and_then(|caller| upvalue_name(heap, caller, function));
            let name = match upvalue {
                Some(name) => Some(name),
                None => local_name(heap, names, note.state.node, function)?,
            };
            match name {
                Some(name) => {
                    known.try_reserve(1)?;
                    known.insert(key, name);
                    note.state.function = name;
                }
                None => {
                    wanted.try_reserve(1)?;
                    wanted.insert(function, NameId::EMPTY);
                }
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        field_names(heap, names, &mut wanted)?;
        for note in &mut self.notes {
            if note.state.function == NameId::EMPTY
                && let Some(name) = note.function.and_then(|function| wanted.get(&function))
            {
                note.state.function = *name;
            }
        }
        Ok(())
    }
}

/// Whether a thread is known to have resumed another one.
fn resumed(notes: &[ThreadNote], node: NodeId) -> bool {
    let found = notes.binary_search_by_key(&node, |note| note.state.node);
    found.is_ok_and(|at| notes[at].state.status == ThreadStatus::Normal)
}

/// Returns the name of the upvalue by which `caller` has `function`.
fn upvalue_name(heap: &Heap, caller: NodeId, function: NodeId) -> Option<NameId> {
    let has_it = |target: NodeId| {
        target == function
            || heap.kind(target) == Kind::Upvalue
                && heap
                    .edge_range(target)
                    .any(|edge| heap.target(edge) == function)
    };
    heap.edge_range(caller)
        .find_map(|edge| match heap.label(edge) {
            Label::Upvalue(name) if name != NameId::EMPTY && has_it(heap.target(edge)) => {
                Some(name)
            }
            _ => None,
        })
}

/// Returns the name of the local variable in which a thread has `function`. A slot's name is that and
/// the source.
fn local_name(
    heap: &Heap,
    names: &mut Names,
    thread: NodeId,
    function: NodeId,
) -> Result<Option<NameId>, BuildError> {
    let to_it = |edge: &usize| heap.target(*edge) == function;
    let mut length = None;
    for edge in heap.edge_range(thread).filter(to_it) {
        if let Label::Local(name) = heap.label(edge) {
            let text = names.get(name);
            // Slots without a name have one in brackets.
            if text.first().is_some_and(|first| *first != b'(') {
                length = text
                    .iter()
                    .position(|byte| *byte == b':')
                    .map(|at| (name, at));
                break;
            }
        }
    }
    let Some((slot, length)) = length.filter(|(_, length)| *length > 0) else {
        return Ok(None);
    };
    names.add_part(slot, length).map(Some)
}

/// Gives functions the names of fields that have them: the first by bytes, so that it does not depend
/// on the order of objects.
fn field_names(
    heap: &Heap,
    names: &Names,
    wanted: &mut FxHashMap<NodeId, NameId>,
) -> Result<(), BuildError> {
    // One look at a bit is less than one into a map, and nearly all references are to others.
    let mut is_wanted = NodeSet::with_room_for(heap.kinds.len())?;
    for &node in wanted.keys() {
        is_wanted.insert(node);
    }
    let field = |edge: usize| match heap.label(edge) {
        Label::Field(name) if is_wanted.contains(heap.target(edge)) => Some(name),
        _ => None,
    };
    if !(0..heap.targets.len()).any(|edge| field(edge).is_some()) {
        return Ok(());
    }
    let mut tables = Vec::new();
    for node in heap.nodes() {
        if heap.edge_range(node).any(|edge| field(edge).is_some()) {
            push(&mut tables, node)?;
        }
    }
    // Keys and values of garbage may be gone already, and others lie where they lay.
    if !heap.all_reached {
        tables = Reach::among(heap, tables)?;
    }
    for node in tables {
        for edge in heap.edge_range(node) {
            if let Some(name) = field(edge)
                && let Some(known) = wanted.get_mut(&heap.target(edge))
                && (*known == NameId::EMPTY || names.get(name) < names.get(*known))
            {
                *known = name;
            }
        }
    }
    Ok(())
}
