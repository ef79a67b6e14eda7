//! The portable engine: a walk by the C API, on any VM that has one.
//!
//! No pointer can be pushed through the API, so what waits to be walked waits in a Lua table. To
//! keep that table small the walk descends a few levels on the Lua stack before it queues. The
//! collector stands still meanwhile (the caller sees to it), only raw access is used, and so no
//! metamethod and no user code runs.
//!
//! Everything in this module runs in protected mode and may be left by a raise at any API call
//! that is marked so: its frames own nothing, all memory belongs to the [`Walk`] outside.

mod ephemeron;
mod frames;
mod function;
mod label;
mod root;
mod table;
mod thread;
mod userdata;
mod weak;

use crate::activation::Activation;
use crate::state::{State, TYPE_FUNCTION, TYPE_TABLE, TYPE_THREAD, TYPE_USERDATA};
use crate::version::Version;
use ephemeron::Ephemerons;
use label::LabelCache;
use luasnap_heap::{
    BuildError, Engine, Heap, HeapBuilder, Kind, Label, NodeId, OpenEdges, Provenance, Strength,
};
use std::ffi::c_int;
use table::TableFrame;
use thread::ThreadScratch;
use weak::WeakEdge;

pub(crate) use root::Root;

/// How many levels the walk descends on the Lua stack; each takes at most two slots.
const DEPTH: usize = 24;

/// Stack slots that the walk needs in all.
const SLOTS: c_int = 2 * DEPTH as c_int + 20;

/// Where things lie in the frame of the walk.
mod index {
    /// The root's value, nil where everything is captured.
    pub const ROOT: i32 = 1;
    /// The queue.
    pub const QUEUE: i32 = 2;
    /// Values of ephemerons whose keys have not been reached.
    pub const PENDING: i32 = 3;
    /// The string `__mode`.
    pub const MODE: i32 = 4;
}

/// An object on the Lua stack whose references are being walked.
#[derive(Clone, Copy)]
enum Descent {
    Table(TableFrame),
    /// A function, and the upvalue that comes next.
    Function(NodeId, c_int),
}

/// A capture by the portable engine.
pub(crate) struct Walk {
    builder: HeapBuilder,
    version: Version,
    /// The address of the module's function that runs: its frame and what lies above it on the
    /// stack are ours and not the program's.
    own_function: u64,
    /// The address of the metatable by which our own snapshots are known.
    own_metatable: u64,
    labels: LabelCache,
    descents: [Option<Descent>; DEPTH],
    depth: usize,
    /// The edges of the objects that are being walked; one more than descents, for an object that
    /// is walked in one go.
    open_edges: [OpenEdges; DEPTH + 1],
    /// Which of these is that of the object at hand.
    open: usize,
    /// The nodes of the objects in the queue, in its order.
    queued: Vec<NodeId>,
    ephemerons: Ephemerons,
    weak_edges: Vec<WeakEdge>,
    thread: ThreadScratch,
    function_record: Activation,
    failure: Option<BuildError>,
}

type Walked<T = ()> = Result<T, BuildError>;

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
            function_record: Activation::new(version),
            failure: None,
        }
    }

    /// Walks everything that is reachable from `root`. Raises.
    pub(crate) fn run(&mut self, state: State, root: Root<'_>) {
        if let Err(failure) = self.walk(state, root) {
            self.failure = Some(failure);
        }
    }

    /// The heap that was found, in a VM that says it holds `total` bytes.
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

    fn walk(&mut self, state: State, root: Root<'_>) -> Walked {
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
    fn drain(&mut self, state: State) -> Walked {
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

    fn take_from_queue(&mut self, state: State, node: NodeId) -> Walked {
        state.raw_get_index(index::QUEUE, self.queued.len() as i64 + 1);
        self.begin(state, node, state.type_of(-1))
    }

    /// Pops the object on the top and queues it. Raises.
    fn enqueue(&mut self, state: State, node: NodeId) -> Walked {
        self.queued.try_reserve(1)?;
        self.queued.push(node);
        state.raw_set_index(index::QUEUE, self.queued.len() as i64);
        Ok(())
    }

    /// The node of the value at `index`, made if it is new; `None` for what is no object or is
    /// ours. The flag says that it is new, and so has to be walked.
    fn meet(
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
    fn meet_object(
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
    fn find(&self, state: State, index: c_int) -> Option<NodeId> {
        self.builder
            .find(kind_of(state.type_of(index))?, state.pointer(index))
    }

    /// Pops the value on the top, adds a reference from the object at hand, and sees that it is
    /// walked. Raises.
    fn refer(&mut self, state: State, label: Label, strength: Strength) -> Walked {
        match self.meet(state, -1, state.type_of(-1))? {
            Some((target, new)) => {
                self.open_edge(target, label, strength)?;
                self.enqueue_if(state, target, new)?;
            }
            None => state.pop(1),
        }
        Ok(())
    }

    /// Pops the value on the top, adds a reference from an object whose walk is over, and sees
    /// that it is walked. Raises.
    fn refer_late(
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
    fn open_edge(&mut self, target: NodeId, label: Label, strength: Strength) -> Walked {
        self.builder
            .open_edge(&mut self.open_edges[self.open], target, label, strength)
    }

    fn close_edges(&mut self, node: NodeId) -> Walked {
        self.builder
            .close_edges(node, &mut self.open_edges[self.open])
    }

    fn enqueue_if(&mut self, state: State, node: NodeId, new: bool) -> Walked {
        if new {
            return self.enqueue(state, node);
        }
        state.pop(1);
        Ok(())
    }

    /// Walks the new object on the top at once where there is room to descend, else queues it.
    #[inline]
    fn descend(&mut self, state: State, node: NodeId, lua_type: c_int) -> Walked {
        if self.depth < DEPTH {
            return self.begin(state, node, lua_type);
        }
        self.enqueue(state, node)
    }

    /// Starts to walk the object on the top, which stays there until it is done.
    fn begin(&mut self, state: State, node: NodeId, lua_type: c_int) -> Walked {
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

    /// Pops the object at hand, whose walk is over.
    fn close(&mut self, state: State, node: NodeId) -> Walked {
        self.close_edges(node)?;
        state.pop(1);
        self.open = self.depth.saturating_sub(1);
        Ok(())
    }

    fn push_descent(&mut self, descent: Descent) {
        self.descents[self.depth] = Some(descent);
        self.depth += 1;
    }

    fn pop_descent(&mut self, state: State, node: NodeId) -> Walked {
        self.depth -= 1;
        self.close(state, node)
    }
}

/// The kind of a value that is a row; a function may yet turn out to be one in C.
#[inline]
fn kind_of(lua_type: c_int) -> Option<Kind> {
    match lua_type {
        TYPE_TABLE => Some(Kind::Table),
        TYPE_FUNCTION => Some(Kind::LuaFunction),
        TYPE_USERDATA => Some(Kind::Userdata),
        TYPE_THREAD => Some(Kind::Thread),
        _ => None,
    }
}
