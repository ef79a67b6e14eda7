//! Runs all analyses of a snapshot, to see whether they succeed. The fuzz target uses this too.

use luasnap_format::{
    ReportOptions, SaveOptions, Stats, top_owners, write_json, write_json_indented, write_report,
    write_snapshot, write_text,
};
use luasnap_heap::{Census, Snapshot, decrease, increase};
use std::io::sink;

/// Runs all analyses.
pub fn run_all(snapshot: &Snapshot) {
    snapshot.tree().unwrap();
    snapshot.groups().unwrap();
    top_owners(snapshot, 10).unwrap();
    Stats::new(snapshot, &Census::new(snapshot).unwrap()).unwrap();
    write_text(&mut sink(), snapshot).unwrap();
    write_json(&mut sink(), snapshot).unwrap();
    write_json_indented(&mut sink(), snapshot).unwrap();
    write_report(&mut sink(), snapshot, ReportOptions::default()).unwrap();
    for (strings, names) in [(true, true), (false, true), (false, false)] {
        write_snapshot(&mut sink(), snapshot, SaveOptions { strings, names }).unwrap();
    }
}

/// Runs all analyses of a snapshot, and of its differences to another one.
pub fn run_all_with(snapshot: &Snapshot, other: &Snapshot) {
    run_all(snapshot);
    for (a, b) in [(snapshot, other), (other, snapshot), (snapshot, snapshot)] {
        run_all(&increase(a, b).unwrap());
        run_all(&decrease(a, b).unwrap());
    }
}
