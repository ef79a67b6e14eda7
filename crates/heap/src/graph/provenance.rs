//! Where a heap comes from, and what its VM says of itself.

use crate::graph::sparse_table::SlotSizes;
use std::borrow::Cow;

/// How a heap was captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Engine {
    /// By the C API: objects alone, and sizes are estimates.
    #[default]
    Portable,
    /// By reading the VM's own structures: everything, and sizes are exact.
    Native,
}

impl Engine {
    /// Its name, as users write and read it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Portable => "portable",
            Engine::Native => "native",
        }
    }
}

/// Where a heap comes from, and what its VM says of itself.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// How it was captured.
    pub engine: Engine,
    /// The VM's family: `Lua 5.4`.
    pub vm: Cow<'static, str>,
    /// The releases whose structures the VM has, where the native engine found that out:
    /// `5.4.6 to 5.4.9`.
    pub layout: Option<Cow<'static, str>>,
    /// Which VM of which process it was: the address of its global state, 0 where unknown.
    pub vm_address: u64,
    /// Bytes that the VM itself says it holds.
    pub total: Option<u64>,
    /// Bytes of what belongs to the VM and is no object, by name: the global state, the table of
    /// strings. Known to the native engine alone.
    pub blocks: Vec<(Cow<'static, str>, u64)>,
    /// What the slots of the VM's tables take, where its [sparse tables](crate::Heap::sparse_tables)
    /// are known; `None` where nobody looked for them.
    pub slot_sizes: Option<SlotSizes>,
    /// Whether the heap has every object of the VM, garbage too.
    pub is_whole: bool,
    /// When it was captured, in milliseconds since 1970; `None` where nobody said.
    pub taken_at: Option<u64>,
    /// The process that it was captured in, where known.
    pub process: Option<Process>,
}

/// A process, told apart from all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Process {
    /// Its id, which the system gives to others later.
    pub id: u32,
    /// A number that no other process has, by chance alone: what tells two processes of one id
    /// apart.
    pub instance: u64,
}

impl Provenance {
    /// What holds still of a few objects taken out of the heap.
    pub(crate) fn of_excerpt(&self) -> Provenance {
        Provenance {
            engine: self.engine,
            vm: self.vm.clone(),
            layout: self.layout.clone(),
            vm_address: self.vm_address,
            taken_at: self.taken_at,
            process: self.process,
            ..Provenance::default()
        }
    }
}
