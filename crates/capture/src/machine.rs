//! The machines whose memory is read: the one that this code runs on, and that of a core file.

use object::elf::{EM_AARCH64, EM_X86_64};

/// Of Linux's auxiliary vector, which each process gets (`elf.h`): the address at which its program begins.
pub(crate) const AT_ENTRY: u64 = 9;
/// The same: where 16 random bytes lie.
pub(crate) const AT_RANDOM: u64 = 25;

/// A kind of 64-bit machine, whose bytes are in this machine's order.
///
/// PUC Lua's structures are alike on all of these. LuaJIT's are not, and each of its layouts is of one machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Machine {
    X86_64,
    AArch64,
    /// Another one, whose LuaJIT is not known.
    Other,
}

impl Machine {
    /// The machine that this code runs on.
    pub(crate) const HERE: Machine = if cfg!(target_arch = "aarch64") {
        Machine::AArch64
    } else {
        Machine::X86_64
    };

    /// The machine of an ELF file, by its `e_machine`.
    pub(crate) fn of_elf(e_machine: u16) -> Machine {
        match e_machine {
            EM_X86_64 => Machine::X86_64,
            EM_AARCH64 => Machine::AArch64,
            _ => Machine::Other,
        }
    }
}
