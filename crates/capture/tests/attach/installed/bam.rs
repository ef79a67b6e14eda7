//! bam, which has Lua 5.3.3 inside: no registry has its sources, and of a table without a hash part
//! only the node tells.

use super::OPTIONS;
use crate::heaps::only;
use crate::target::Target;
use luasnap_capture::process::attach;
use luasnap_heap::{Census, Snapshot};
use std::process::Command;

const STILL: &str = r#"
    kept = {} for i = 1, 100 do kept[i] = { i, name = "n" .. i } end
    io.stdout:write("ready\n") io.stdout:flush() io.read()"#;

#[test]
#[ignore = "needs bam"]
fn every_byte_is_accounted_for() {
    let mut command = Command::new("bam");
    command.args(["-s", "script.lua"]);
    let target = Target::start_command(command, STILL);
    let (state, heap) = only(attach(target.id(), OPTIONS).unwrap());
    assert_eq!(state.layout, "5.3.2 to 5.3.6");
    let census = Census::new(&Snapshot::new(heap)).unwrap();
    assert!(census.is_exact(), "{:?}", census.unaccounted);
}
