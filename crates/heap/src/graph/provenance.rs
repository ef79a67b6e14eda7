//! Where a heap comes from, and what its VM says about itself.

use crate::graph::sparse_table::SlotSizes;
use std::borrow::Cow;

/// How a heap was captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Engine {
    /// Through the C API: only objects, and sizes are estimates.
    #[default]
    Portable,
    /// By reading the VM's own structures: everything, and sizes are exact.
    Native,
}

impl Engine {
    /// Returns the name that users write and read.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Portable => "portable",
            Engine::Native => "native",
        }
    }
}

/// Where a heap comes from, and what its VM says about itself.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// How it was captured.
    pub engine: Engine,
    /// Why the native engine, which was to be used, could not be: a sentence. Not kept in files.
    pub engine_reason: Option<Cow<'static, str>>,
    /// The VM's family: `Lua 5.4`.
    pub vm: Cow<'static, str>,
    /// The releases whose structures the VM has, if the native engine verified its layout: `5.4.6 to 5.4.9`.
    pub layout: Option<Cow<'static, str>>,
    /// The address of the VM's global state, which identifies it in its process; 0 if unknown.
    pub vm_address: u64,
    /// The VM's own total, in bytes.
    pub total: Option<u64>,
    /// Memory of the VM that is not in objects, such as the global state and the string table: name and
    /// bytes. Known only to the native engine.
    pub blocks: Vec<(Cow<'static, str>, u64)>,
    /// The sizes of slots in the VM's tables; `None` if its
    /// [sparse tables](crate::Heap::sparse_tables) are unknown.
    pub slot_sizes: Option<SlotSizes>,
    /// Whether the heap has every object of the VM, including garbage.
    pub is_whole: bool,
    /// When it was captured, in milliseconds since 1970; `None` if unknown.
    pub taken_at: Option<u64>,
    /// The process that it was captured in, if known.
    pub process: Option<Process>,
    /// What the system said of that process's memory.
    pub process_memory: ProcessMemory,
    /// What the state is called, where something is known of it: the service that it is in skynet, else its main script or
    /// the code that most of its functions are from.
    pub state_name: Option<Cow<'static, str>>,
    /// The objects of other states that it refers to, in a Lua whose states share some (skynet's); `None` in any other.
    pub shared: Option<SharedObjects>,
}

/// Objects that belong to other states of the process, and that a state refers to: prototypes, their constants, and
/// tables. The states that made them count their bytes, so their shallow size is 0 here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SharedObjects {
    /// How many there are.
    pub count: u64,
    /// Their bytes, in the states that made them.
    pub bytes: u64,
    /// How many states of the process refer to the one that most refer to; `None` where the others were not captured.
    pub states: Option<u32>,
}

/// A process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Process {
    /// Its id, which the system reuses.
    pub id: u32,
    /// A random number, which tells processes with the same id apart.
    pub instance: u64,
}

/// What the system said of a process's memory when a heap was captured, in bytes; `None` where that is
/// unknown, as in core files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProcessMemory {
    /// What was in physical memory (RSS).
    pub resident: Option<u64>,
    /// The most that ever was.
    pub peak_resident: Option<u64>,
    /// The smallest limit that control groups set; `None` also if none does.
    pub limit: Option<u64>,
    /// What snapshots of this VM held outside the Lua heap. Known only in-process.
    pub snapshots: Option<u64>,
}

impl Provenance {
    /// Whether two heaps may be of one process: objects of two processes have nothing to do with each other, whatever
    /// their addresses.
    pub fn may_be_one_process(&self, other: &Provenance) -> bool {
        match (self.process, other.process) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }

    /// Returns what is still true for a few objects of the heap.
    pub(crate) fn of_excerpt(&self) -> Provenance {
        Provenance {
            engine: self.engine,
            engine_reason: self.engine_reason.clone(),
            vm: self.vm.clone(),
            layout: self.layout.clone(),
            vm_address: self.vm_address,
            taken_at: self.taken_at,
            process: self.process,
            state_name: self.state_name.clone(),
            ..Provenance::default()
        }
    }
}
