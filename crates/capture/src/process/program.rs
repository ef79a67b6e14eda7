//! What the file of a process's program says of it.

use crate::process::threads::living_thread;
use std::fs::File;
use std::io::Read;

/// Whether a process's program is a 32-bit one.
pub(super) fn is_thirty_two_bit(process: u32) -> bool {
    let mut start = [0; 5];
    let program = File::open(format!("/proc/{}/exe", living_thread(process)));
    program.is_ok_and(|mut program| program.read_exact(&mut start).is_ok())
        && start == *b"\x7fELF\x01"
}
