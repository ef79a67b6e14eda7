//! Everything that can be asked of a snapshot, to see whether it can be answered. The fuzz target
//! uses this too.

use luasnap_format::{
    ReportOptions, SaveOptions, write_json, write_json_indented, write_report, write_snapshot,
    write_text,
};
use luasnap_heap::{Census, Snapshot, decrease, increase};
use std::io::sink;

/// Asks for everything.
pub fn run_all(snapshot: &Snapshot) {
    snapshot.tree().unwrap();
    snapshot.groups().unwrap();
    Census::new(snapshot).unwrap();
    write_text(&mut sink(), snapshot).unwrap();
    write_json(&mut sink(), snapshot).unwrap();
    write_json_indented(&mut sink(), snapshot).unwrap();
    write_report(&mut sink(), snapshot, ReportOptions::default()).unwrap();
    for (strings, names) in [(true, true), (false, true), (false, false)] {
        write_snapshot(&mut sink(), snapshot, SaveOptions { strings, names }).unwrap();
    }
}

/// Asks for everything, and for the differences to another snapshot too.
pub fn run_all_with(snapshot: &Snapshot, other: &Snapshot) {
    run_all(snapshot);
    for (a, b) in [(snapshot, other), (other, snapshot), (snapshot, snapshot)] {
        run_all(&increase(a, b).unwrap());
        run_all(&decrease(a, b).unwrap());
    }
}
