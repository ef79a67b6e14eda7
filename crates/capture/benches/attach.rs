//! How long a process stands still, and how long it all takes: `cargo bench -p luasnap-capture --bench
//! attach`. The heap has about a gigabyte; `-- MEGABYTES` says another size. `-- server SESSIONS` reads the server of
//! `cargo bench -p luasnap -- server`, which makes garbage, so that half of its memory has no object.
//!
//! The aims: at most half a second of pause for each gigabyte, ten seconds in all, and of memory the copy
//! and 40 bytes a node; for the server 2.2 times what the VM says that it has.

use luasnap_capture::ColumnAllocator;
use luasnap_capture::process::{AttachOptions, attach};
use luasnap_hosts::Vm;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: ColumnAllocator = ColumnAllocator;

const SCRIPT: &str = r#"
    local megabytes = tonumber((...))
    kept = {}
    while collectgarbage("count") < megabytes * 1024 do
      for i = 1, 1000 do kept[#kept + 1] = { i, name = "item " .. #kept } end
    end
    io.stdout:write("ready\n") io.stdout:flush()
    local turn, count = 0, #kept
    while true do
      turn = turn % count + 1
      kept[turn][1] = turn
    end"#;

const SERVER: &str = include_str!("../../cli/benches/server.lua");

const AIM_FOR_A_GIGABYTE: Duration = Duration::from_millis(500);
const AIM_IN_ALL: Duration = Duration::from_secs(10);
const AIM_BYTES_A_NODE: f64 = 40.0;
const AIM_OF_SERVER: f64 = 2.2;

fn main() -> Result<(), Box<dyn Error>> {
    let is_server = std::env::args().any(|argument| argument == "server");
    let mut arguments = std::env::args().skip(1);
    let size = arguments.find_map(|argument| argument.parse::<u32>().ok());
    let (script, usual) = match is_server {
        true => (SERVER, 2_200_000),
        false => (SCRIPT, 1024),
    };
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("script.lua"), script)?;
    let mut target = Command::new(Vm::Lua54.interpreter())
        .current_dir(&folder)
        .args(["script.lua", &size.unwrap_or(usual).to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let stdout = target.stdout.take().ok_or("no pipe")?;
    BufReader::new(stdout).read_line(&mut line)?;

    let start = Instant::now();
    let options = AttachOptions {
        tries: 1,
        ..AttachOptions::default()
    };
    let attached = attach(target.id(), options);
    let took = start.elapsed();
    let peak = peak()?;
    target.kill()?;
    target.wait()?;
    let attached = attached?;
    let gigabytes = attached.copied as f64 / f64::from(1 << 30);
    let memcpy = memcpy(attached.copied as usize);
    let heaps = || attached.captures.iter().flat_map(|(_, heap)| heap);
    let nodes: usize = heaps().map(|heap| heap.node_count()).sum();
    let edges: usize = heaps().map(|heap| heap.edge_count()).sum();
    println!("copied        {gigabytes:.2} GB, {nodes} nodes, {edges} edges");
    println!("pause         {:.3} s", attached.pause.as_secs_f64());
    let times = attached.pause.as_secs_f64() / memcpy.as_secs_f64();
    println!(
        "memcpy        {:.3} s: the pause is {times:.2} times that",
        memcpy.as_secs_f64()
    );
    let times = took.as_secs_f64() / memcpy.as_secs_f64();
    println!(
        "in all        {:.2} s: {times:.1} times that",
        took.as_secs_f64()
    );
    let beside = peak as f64 - attached.copied as f64;
    let beside = beside / nodes as f64;
    println!("memory        the copy and {beside:.1} bytes a node at the peak");
    let total: u64 = attached.captures.iter().map(|(state, _)| state.total).sum();
    let times = peak as f64 / total as f64;
    println!("              {times:.2} times the {total} bytes of the VM");
    let has_too_much = match is_server {
        true => times > AIM_OF_SERVER,
        false => beside > AIM_BYTES_A_NODE,
    };
    let missed = attached.pause > AIM_FOR_A_GIGABYTE.mul_f64(gigabytes.max(0.1))
        || took > AIM_IN_ALL
        || has_too_much;
    match missed {
        true => Err("the aims are missed".into()),
        false => Ok(()),
    }
}

/// The most memory that this process had so far, in bytes.
fn peak() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.ok_or("no peak")?.parse::<u64>()? << 10)
}

/// How long a plain copy of so many bytes takes, in memory that is there.
fn memcpy(len: usize) -> Duration {
    let source = vec![1u8; len];
    let mut target = vec![2u8; len];
    let start = Instant::now();
    target.copy_from_slice(black_box(&source));
    black_box(&target);
    start.elapsed()
}
