//! The systems that we build for, and what each tool calls them.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::fmt::{self, Display, Formatter};

/// The oldest glibc that the builds run with: that of RHEL 7, as the wheels' `manylinux_2_17` has it.
pub const GLIBC: (u32, u32) = (2, 17);

/// A processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Machine {
    X86_64,
    AArch64,
}

/// A C library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Libc {
    /// The one of most distributions.
    Glibc,
    /// The one of Alpine.
    Musl,
}

/// A Linux with a processor and a C library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct System {
    pub machine: Machine,
    pub libc: Libc,
}

/// All that a release has files for.
pub const SYSTEMS: [System; 4] = [
    System::new(Machine::X86_64, Libc::Glibc),
    System::new(Machine::X86_64, Libc::Musl),
    System::new(Machine::AArch64, Libc::Glibc),
    System::new(Machine::AArch64, Libc::Musl),
];

/// Names, in the order of [`SYSTEMS`].
const NAMES: [&str; SYSTEMS.len()] = [
    "x86_64-linux-glibc",
    "x86_64-linux-musl",
    "aarch64-linux-glibc",
    "aarch64-linux-musl",
];

impl System {
    const fn new(machine: Machine, libc: Libc) -> System {
        System { machine, libc }
    }

    /// The system that this program runs on, or would if it had glibc.
    pub fn of_this_machine() -> System {
        let machine = match cfg!(target_arch = "aarch64") {
            true => Machine::AArch64,
            false => Machine::X86_64,
        };
        System::new(machine, Libc::Glibc)
    }

    /// What Rust calls it.
    pub fn target(self) -> &'static str {
        match (self.machine, self.libc) {
            (Machine::X86_64, Libc::Glibc) => "x86_64-unknown-linux-gnu",
            (Machine::X86_64, Libc::Musl) => "x86_64-unknown-linux-musl",
            (Machine::AArch64, Libc::Glibc) => "aarch64-unknown-linux-gnu",
            (Machine::AArch64, Libc::Musl) => "aarch64-unknown-linux-musl",
        }
    }

    /// Our name of it, in the names of archives.
    pub fn name(self) -> &'static str {
        let place = SYSTEMS.iter().position(|&one| one == self);
        place.map_or("", |place| NAMES[place])
    }
}

impl Machine {
    /// What `uname -m` says, and so Python and LuaRocks.
    pub fn name(self) -> &'static str {
        match self {
            Machine::X86_64 => "x86_64",
            Machine::AArch64 => "aarch64",
        }
    }

    /// What Debian calls it.
    pub fn debian(self) -> &'static str {
        match self {
            Machine::X86_64 => "amd64",
            Machine::AArch64 => "arm64",
        }
    }
}

impl Display for System {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ValueEnum for System {
    fn value_variants<'a>() -> &'a [System] {
        &SYSTEMS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}
