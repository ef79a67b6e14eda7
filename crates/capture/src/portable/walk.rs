//! The walk: what waits, what is being walked, and the resulting heap.

use crate::lua::debug_record::DebugRecord;
use crate::lua::state::{State, TYPE_FUNCTION, TYPE_TABLE, TYPE_THREAD, TYPE_USERDATA};
use crate::lua::weak_mode::WeakMode;
use crate::portable::ephemerons::Ephemerons;
use crate::portable::label_cache::LabelCache;
use crate::portable::thread_scratch::ThreadScratch;
use crate::version::Version;
use luasnap_heap::{
    BuildError, Engine, Heap, HeapBuilder, Kind, Label, NodeId, OpenEdges, Provenance, Strength,
};
use std::ffi::c_int;

/// Number of levels that the walk descends on the Lua stack; each takes at most two slots.
const DEPTH: usize = 24;

/// Stack slots that the walk needs in all.
const SLOTS: c_int = 2 * DEPTH as c_int + 20;

/// Stack indices in the frame of the walk.
pub(super) mod index {
    /// The root's value, nil where everything is captured.
    pub const ROOT: i32 = 1;
    /// The queue.
    pub const QUEUE: i32 = 2;
    /// Values of ephemerons whose keys have not been reached.
    pub const PENDING: i32 = 3;
    /// The string `__mode`.
    pub const MODE: i32 = 4;
}

/// What a capture starts from.
#[derive(Clone, Copy)]
pub(crate) enum Root<'a> {
    /// Everything that the VM itself refers to.
    Whole,
    /// The first argument, under this name.
    Argument(&'a [u8]),
}

/// A table whose entries are being walked: it is on the stack, the last key above it.
#[derive(Clone, Copy)]
pub(super) struct TableFrame {
    pub(super) node: NodeId,
    pub(super) mode: WeakMode,
    pub(super) entries: u32,
    /// Entries whose key is a number: the size estimate takes them for the array part.
    pub(super) numbers: u32,
}

/// A weak reference whose target may not be a node.
pub(super) struct WeakEdge {
    pub(super) source: NodeId,
    pub(super) kind: Kind,
    pub(super) address: u64,
    pub(super) label: Label,
    pub(super) strength: Strength,
}

/// An object on the Lua stack whose references are being walked.
#[derive(Clone, Copy)]
pub(super) enum Descent {
    Table(TableFrame),
    /// A function, and the upvalue that comes next.
    Function(NodeId, c_int),
}

/// A capture by the portable engine.
pub(crate) struct Walk {
    pub(super) builder: HeapBuilder,
    pub(super) version: Version,
    /// The address of the running function of the module: its frame and everything above it on the
    /// stack are ours and not the program's.
    pub(super) own_function: u64,
    /// The address of the metatable that identifies our own snapshots.
    pub(super) own_metatable: u64,
    pub(super) labels: LabelCache,
    pub(super) descents: [Option<Descent>; DEPTH],
    pub(super) depth: usize,
    /// The edges of the objects that are being walked; one more than descents, for an object that
    /// is walked in one go.
    pub(super) open_edges: [OpenEdges; DEPTH + 1],
    /// The index in `open_edges` for the current object.
    pub(super) open: usize,
    /// The nodes of the objects in the queue, in its order.
    pub(super) queued: Vec<NodeId>,
    pub(super) ephemerons: Ephemerons,
    pub(super) weak_edges: Vec<WeakEdge>,
    pub(super) thread: ThreadScratch,
    pub(super) function_record: DebugRecord,
    pub(super) failure: Option<BuildError>,
}

pub(super) type Walked<T = ()> = Result<T, BuildError>;

impl Walk {
    pub(crate) fn new(version: Version, own_function: u64, own_metatable: u64) -> Walk {
        Walk {
            builder: HeapBuilder::new(),
            version,
            own_function,
            own_metatable,
            labels: LabelCache::default(),
            descents: [None; DEPTH],
            depth: 0,
            open_edges: Default::default(),
            open: 0,
            queued: Vec::new(),
            ephemerons: Ephemerons::default(),
            weak_edges: Vec::new(),
            thread: ThreadScratch::new(version),
            function_record: DebugRecord::new(version),
            failure: None,
        }
    }

    /// Walks everything that is reachable from `root`. Raises.
    pub(crate) fn run(&mut self, state: State, root: Root<'_>) {
        if let Err(failure) = self.walk(state, root) {
            self.failure = Some(failure);
        }
    }

    /// The heap that was found; `total` is the VM's own count of its bytes.
    pub(crate) fn finish(mut self, total: Option<u64>) -> Walked<Heap> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        self.resolve_weak_edges()?;
        self.builder.finish_reached(Provenance {
            engine: Engine::Portable,
            vm: self.version.family().into(),
            total,
            ..Provenance::default()
        })
    }

    pub(super) fn walk(&mut self, state: State, root: Root<'_>) -> Walked {
        state.set_top(index::ROOT);
        if !state.check_stack(SLOTS) {
            return Err(BuildError::OutOfMemory);
        }
        state.new_table();
        state.new_table();
        state.push_string(b"__mode");
        self.enter_roots(state, root)?;
        loop {
            self.drain(state)?;
            if !self.reach_varargs(state)? {
                return Ok(());
            }
        }
    }

    /// Walks until nothing waits any more.
    pub(super) fn drain(&mut self, state: State) -> Walked {
        loop {
            match self.depth.checked_sub(1).and_then(|at| self.descents[at]) {
                Some(Descent::Table(frame)) => self.step_table(state, frame)?,
                Some(Descent::Function(node, next)) => self.step_function(state, node, next)?,
                None if self.wake_ephemeron(state)? => {}
                None => match self.queued.pop() {
                    Some(node) => self.take_from_queue(state, node)?,
                    None => return Ok(()),
                },
            }
        }
    }

    pub(super) fn take_from_queue(&mut self, state: State, node: NodeId) -> Walked {
        state.raw_get_index(index::QUEUE, self.queued.len() as i64 + 1);
        self.begin(state, node, state.type_of(-1))
    }

    /// Pops the object on the top and queues it. Raises.
    pub(super) fn enqueue(&mut self, state: State, node: NodeId) -> Walked {
        self.queued.try_reserve(1)?;
        self.queued.push(node);
        state.raw_set_index(index::QUEUE, self.queued.len() as i64);
        Ok(())
    }

    /// The node of the value at `index`, made if it is new; `None` for what is not an object or is
    /// ours. The flag says that the node is new, and so has to be walked.
    pub(super) fn meet(
        &mut self,
        state: State,
        index: c_int,
        lua_type: c_int,
    ) -> Walked<Option<(NodeId, bool)>> {
        match kind_of(lua_type) {
            Some(kind) => self.meet_object(state, index, kind, state.pointer(index)),
            None => Ok(None),
        }
    }

    /// The same, for an object of a known kind and address.
    #[inline]
    pub(super) fn meet_object(
        &mut self,
        state: State,
        index: c_int,
        kind: Kind,
        address: u64,
    ) -> Walked<Option<(NodeId, bool)>> {
        if kind == Kind::Userdata
            && self.builder.find(kind, address).is_none()
            && self.is_own_snapshot(state, index)
        {
            return Ok(None);
        }
        let (node, new) = self.builder.node(kind, address)?;
        if new {
            self.ephemerons.key_reached(kind, address);
        }
        Ok(Some((node, new)))
    }

    /// The node of the object at `index`, where it is known.
    pub(super) fn find(&self, state: State, index: c_int) -> Option<NodeId> {
        self.builder
            .find(kind_of(state.type_of(index))?, state.pointer(index))
    }

    /// Pops the value on the top, adds a reference from the current object to it, and queues it if
    /// it is new. Raises.
    pub(super) fn refer(&mut self, state: State, label: Label, strength: Strength) -> Walked {
        match self.meet(state, -1, state.type_of(-1))? {
            Some((target, new)) => {
                self.open_edge(target, label, strength)?;
                self.enqueue_if(state, target, new)?;
            }
            None => state.pop(1),
        }
        Ok(())
    }

    /// Pops the value on the top, adds a reference to it from an object whose walk is over, and
    /// queues it if it is new. Raises.
    pub(super) fn refer_late(
        &mut self,
        state: State,
        source: NodeId,
        label: Label,
        strength: Strength,
    ) -> Walked {
        match self.meet(state, -1, state.type_of(-1))? {
            Some((target, new)) => {
                self.builder.edge(source, target, label, strength)?;
                self.enqueue_if(state, target, new)?;
            }
            None => state.pop(1),
        }
        Ok(())
    }

    #[inline]
    pub(super) fn open_edge(&mut self, target: NodeId, label: Label, strength: Strength) -> Walked {
        self.builder
            .open_edge(&mut self.open_edges[self.open], target, label, strength)
    }

    pub(super) fn close_edges(&mut self, node: NodeId) -> Walked {
        self.builder
            .close_edges(node, &mut self.open_edges[self.open])
    }

    pub(super) fn enqueue_if(&mut self, state: State, node: NodeId, new: bool) -> Walked {
        if new {
            return self.enqueue(state, node);
        }
        state.pop(1);
        Ok(())
    }

    /// Walks the new object on the top at once where there is room to descend, else queues it.
    #[inline]
    pub(super) fn descend(&mut self, state: State, node: NodeId, lua_type: c_int) -> Walked {
        if self.depth < DEPTH {
            return self.begin(state, node, lua_type);
        }
        self.enqueue(state, node)
    }

    /// Starts to walk the object on the top, which stays there until it is done.
    pub(super) fn begin(&mut self, state: State, node: NodeId, lua_type: c_int) -> Walked {
        self.open = self.depth;
        match lua_type {
            TYPE_TABLE => self.begin_table(state, node),
            TYPE_FUNCTION => self.begin_function(state, node),
            TYPE_THREAD => self.walk_thread(state, node),
            TYPE_USERDATA => self.walk_userdata(state, node),
            _ => Ok(()),
        }?;
        if !matches!(lua_type, TYPE_TABLE | TYPE_FUNCTION) {
            self.close(state, node)?;
        }
        Ok(())
    }

    /// Pops the current object, whose walk is over.
    pub(super) fn close(&mut self, state: State, node: NodeId) -> Walked {
        self.close_edges(node)?;
        state.pop(1);
        self.open = self.depth.saturating_sub(1);
        Ok(())
    }

    pub(super) fn push_descent(&mut self, descent: Descent) {
        self.descents[self.depth] = Some(descent);
        self.depth += 1;
    }

    pub(super) fn pop_descent(&mut self, state: State, node: NodeId) -> Walked {
        self.depth -= 1;
        self.close(state, node)
    }
}

/// The kind of a value that becomes a node; a function may yet turn out to be a C function.
#[inline]
pub(super) fn kind_of(lua_type: c_int) -> Option<Kind> {
    match lua_type {
        TYPE_TABLE => Some(Kind::Table),
        TYPE_FUNCTION => Some(Kind::LuaFunction),
        TYPE_USERDATA => Some(Kind::Userdata),
        TYPE_THREAD => Some(Kind::Thread),
        _ => None,
    }
}
