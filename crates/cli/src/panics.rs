//! Messages of panics, which may contain untrusted names.

use crate::look;
use crate::terminal;
use luasnap_heap::Printable;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic;

/// From now on a panic prints an escaped message that reports a bug, with a backtrace if `RUST_BACKTRACE` asks for
/// it.
pub fn print_readably() {
    panic::set_hook(Box::new(|panic| {
        terminal::give_back();
        let mut out = io::stderr().lock();
        let _ = writeln!(out, "luasnap: {}", look::words("fail.bug"));
        for line in panic.to_string().lines() {
            let _ = writeln!(out, "{}", Printable(line.as_bytes()));
        }
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            let _ = writeln!(out, "{trace}");
        }
    }));
}
