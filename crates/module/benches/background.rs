//! How long the caller of `snapshot.background` stands still, beside an ordinary capture, a full collection and the stop
//! of an attach, of the same heap in the same run; with small pages and with huge ones.
//!
//! `cargo bench -p snapshot --bench background` prints the table for a heap of a gigabyte; `-- MEGABYTES` says another
//! size; `-- --check` fails if an aim is missed.

use luasnap_capture::ColumnAllocator;
use luasnap_capture::process::{AttachOptions, attach};
use luasnap_hosts::{Vm, module_dir};
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[global_allocator]
static ALLOCATOR: ColumnAllocator = ColumnAllocator;

/// The longest standstill in milliseconds for each gigabyte of memory, by the pages that it has.
const PAGES: [(&str, f64); 2] = [("small", 30.0), ("huge", 3.0)];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let megabytes = arguments.iter().find_map(|word| word.parse::<u32>().ok());
    let megabytes = megabytes.unwrap_or(1024);
    println!(
        "| pages | memory | the call | for a GB | later calls | attach stops it for | capture | full collection | the one \
         after the call | until the file is there |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut is_missed = false;
    for (pages, aim) in PAGES {
        let for_a_gigabyte = measure(pages, megabytes)?;
        if for_a_gigabyte > aim {
            eprintln!("missed: {for_a_gigabyte:.1} ms a GB with {pages} pages, aim {aim}");
            is_missed = true;
        }
    }
    let is_checked = arguments.iter().any(|word| word == "--check");
    std::process::exit(i32::from(is_missed && is_checked));
}

/// Prints a row, and returns the milliseconds of the first call for each gigabyte.
fn measure(pages: &str, megabytes: u32) -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("script.lua"),
        include_str!("background.lua"),
    )?;
    let library = std::env::current_exe()?.with_file_name("libsnapshot.so");
    let mut command = Command::new(Vm::Lua54.interpreter());
    command
        .current_dir(&folder)
        .args(["script.lua", &megabytes.to_string(), "heap.luasnap"])
        .env("LUA_CPATH", module_dir(&library).join("?.so"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if pages == "huge" {
        // glibc then asks for them.
        command.env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
    }
    let mut host = command.spawn()?;
    let mut line = String::new();
    let stdout = host.stdout.take().ok_or("no pipe")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let options = AttachOptions {
        tries: 1,
        ..AttachOptions::default()
    };
    let attached = attach(host.id(), options);
    drop(host.stdin.take());
    host.wait()?;
    let stop = attached?.pause.as_secs_f64();
    let numbers: Vec<f64> = line
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [memory, collection, capture, first, later, after, written] = numbers[..] else {
        return Err(format!("the script says: {line}").into());
    };
    let gigabytes = memory / f64::from(1 << 30);
    let for_a_gigabyte = 1e3 * first / gigabytes;
    println!(
        "| {pages} | {gigabytes:.2} GB | {:.1} ms | {for_a_gigabyte:.1} ms | {:.1} ms | {:.0} ms | {:.2} s | {:.2} s | \
         {:.2} s | {:.1} s |",
        1e3 * first,
        1e3 * later,
        1e3 * stop,
        capture,
        collection,
        after,
        written,
    );
    Ok(for_a_gigabyte)
}
