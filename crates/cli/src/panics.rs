//! Messages of panics, which may have strangers' names in them.

use luasnap_heap::Printable;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic;

/// From now on a panic is a bug's message that a terminal can show. With `RUST_BACKTRACE` it has the
/// way to the bug.
pub fn print_readably() {
    panic::set_hook(Box::new(|panic| {
        let mut out = io::stderr().lock();
        let _ = writeln!(out, "luasnap: a bug in luasnap:");
        for line in panic.to_string().lines() {
            let _ = writeln!(out, "{}", Printable(line.as_bytes()));
        }
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            let _ = writeln!(out, "{trace}");
        }
    }));
}
