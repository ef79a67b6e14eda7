//! Measures tables of many processes.
//!
//! `cargo bench -p luasnap --bench tables` exports a heap of a million objects and four million references, as a multiple of what `luasnap top`
//! takes for it. `-- --fleet` writes the files of 200 hosts by 24 hours, merges them by the `duckdb` in PATH, asks both, and makes
//! the tables of 10,000 hosts by 24 hours; it takes minutes. `--program FILE` measures another luasnap; `--check` exits with an error where an
//! aim is missed.

#[allow(dead_code)]
#[path = "../tests/fleet/made.rs"]
mod made;

use luasnap_format::{SaveOptions, write_snapshot};
use luasnap_heap::{BuildError, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const OBJECTS: u32 = 1_000_000;
const REFERENCES_EACH: u32 = 4;
/// The aims of an export of all objects: seconds, and bytes on the disk.
const MOST_SECONDS: f64 = 3.0;
const MOST_BYTES: u64 = 45_000_000;
const ROUNDS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| args.iter().any(|arg| arg == name);
    let at = args.iter().position(|arg| arg == "--program");
    let program = at.and_then(|at| args.get(at + 1).cloned());
    let program = PathBuf::from(program.unwrap_or(env!("CARGO_BIN_EXE_luasnap").to_owned()));
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let is_met = objects(&program, folder.path());
    if has("--fleet") {
        fleet(&program, folder.path());
    }
    if has("--check") && !is_met {
        std::process::exit(1);
    }
}

/// Exports every object of a heap. Returns whether the aims are met.
fn objects(program: &Path, folder: &Path) -> bool {
    let file = folder.join("heap.luasnap");
    let heap = heap().expect("there is room for it");
    let mut out = BufWriter::new(File::create(&file).expect("it is made"));
    write_snapshot(&mut out, &heap, SaveOptions::default()).expect("it is written");
    drop((heap, out));
    let tables = folder.join("objects");
    let export = |words: &[&str]| {
        let mut command = Command::new(program);
        command
            .arg("export")
            .arg(&file)
            .args(["--to", "parquet", "-o"]);
        command.arg(&tables).args(words);
        command
    };
    let mut top = Command::new(program);
    top.arg("top")
        .arg(&file)
        .arg("--no-cache")
        .stdout(Stdio::null());
    let top = quickest(&mut top);
    let groups = quickest(&mut export(&[]));
    let all = quickest(&mut export(&["--objects"]));
    let bytes = size(&tables);
    println!(
        "{} objects, {} references, quickest of {ROUNDS} runs:",
        OBJECTS,
        OBJECTS * REFERENCES_EACH
    );
    println!("| what | seconds | of `top` | peak MB | MB on the disk |");
    println!("|---|---|---|---|---|");
    for (what, (seconds, peak), bytes) in [
        ("`top --no-cache`", top, 0),
        ("`export --to parquet`", groups, 0),
        ("`export --to parquet --objects`", all, bytes),
    ] {
        let (ratio, peak, bytes) = (seconds / top.0, peak as f64 / 1e6, bytes as f64 / 1e6);
        println!("| {what} | {seconds:.2} | {ratio:.2} | {peak:.0} | {bytes:.1} |");
    }
    for table in ["object", "reference"] {
        println!("{table}: {:.1} MB", size(&tables.join(table)) as f64 / 1e6);
    }
    all.0 <= MOST_SECONDS && bytes <= MOST_BYTES
}

/// A heap of 250,000 records: each has a position, a name and a bag, refers to friends, and all are in one list.
fn heap() -> Result<Snapshot, BuildError> {
    let mut builder = HeapBuilder::new();
    let mut nodes = Vec::new();
    for number in 0..OBJECTS {
        let kind = match number % 4 {
            2 => Kind::String,
            _ => Kind::Table,
        };
        let (node, _) = builder.node(kind, 0x10_0000 + 64 * u64::from(number))?;
        builder.set_size(node, 56 + 16 * u64::from(number % 7));
        nodes.push(node);
    }
    let (globals, _) = builder.node(Kind::Table, 0x1000)?;
    let (list, _) = builder.node(Kind::Table, 0x2000)?;
    builder.set_globals(globals);
    let mut field = |name: &str| Ok::<_, BuildError>(Label::Field(builder.name(name.as_bytes())?));
    let below = [field("position")?, field("name")?, field("bag")?];
    let friends = [
        field("friend")?,
        field("rival")?,
        field("parent")?,
        field("guild")?,
    ];
    let (records, owner) = (field("records")?, field("owner")?);
    let root = Label::Root(builder.name(b"_G")?);
    let mut random = 88_172_645_463_325_252_u64;
    let mut record = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % u64::from(OBJECTS / 4)) as usize * 4
    };
    let strong = Strength::Strong;
    for (at, of) in nodes.chunks_exact(4).enumerate() {
        for (label, to) in below.into_iter().zip(&of[1..]) {
            builder.edge(of[0], *to, label, strong)?;
        }
        for label in friends {
            builder.edge(of[0], nodes[record()], label, strong)?;
        }
        builder.edge(of[1], of[0], owner, strong)?;
        for index in 1..=7 {
            builder.edge(of[3], nodes[record() + 2], Label::Index(index), strong)?;
        }
        builder.edge(list, of[0], Label::Index(at as i64 + 1), strong)?;
    }
    builder.edge(globals, list, records, strong)?;
    builder.edge(NodeId::ROOT, globals, root, strong)?;
    Ok(Snapshot::new(builder.finish()?))
}

/// The seconds of the quickest run of a command, and its peak of memory in bytes.
fn quickest(command: &mut Command) -> (f64, u64) {
    let mut quickest = (f64::INFINITY, 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut child = command.spawn().expect("it starts");
        let mut peak = 0;
        // What the system says of its peak is gone with it.
        let status = loop {
            peak = peak_of(child.id()).unwrap_or(0).max(peak);
            if let Some(status) = child.try_wait().expect("it can be waited for") {
                break status;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        assert!(status.success(), "{command:?}");
        let seconds = start.elapsed().as_secs_f64();
        if seconds < quickest.0 {
            quickest = (seconds, peak);
        }
    }
    quickest
}

fn peak_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The bytes of all files in a folder.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.map(|entry| {
        let entry = entry.expect("it is listed");
        let metadata = entry.metadata().expect("it is there");
        match metadata.is_dir() {
            true => size(&entry.path()),
            false => metadata.len(),
        }
    });
    sizes.sum()
}

/// 200 hosts by 24 hours as files, merged, and 10,000 hosts by 24 hours.
fn fleet(program: &Path, folder: &Path) {
    const HOSTS: u64 = 200;
    const HOURS: u64 = 24;
    let tables = folder.join("fleet");
    let start = Instant::now();
    let file = folder.join("one.luasnap");
    for (host, hour) in (0..HOSTS).flat_map(|host| (0..HOURS).map(move |hour| (host, hour))) {
        made::write(&file, host, hour);
        let mut export = Command::new(program);
        export
            .arg("export")
            .arg(&file)
            .args(["--to", "parquet", "-o"]);
        export
            .arg(&tables)
            .args(["--service", made::service(host % 10)]);
        export.args(["--host", &format!("h{host}"), "--release", "1.0"]);
        assert!(export.status().expect("it starts").success());
    }
    println!(
        "\n{HOSTS} hosts by {HOURS} snapshots: {} files, {:.1} MB, written in {:.0} s",
        4 * HOSTS * HOURS,
        size(&tables) as f64 / 1e6,
        start.elapsed().as_secs_f64()
    );
    let compact = folder.join("compact");
    fs::create_dir_all(&compact).expect("it is made");
    let query = "select fingerprint, max(name), sum(self_size) as bytes, count(distinct snapshot_id) from FROM \
        group by fingerprint order by bytes desc limit 20";
    let read = |folder: &Path, files: &str| {
        let files = folder.join(files);
        format!(
            "read_parquet('{}', hive_partitioning = true)",
            files.display()
        )
    };
    let many = read(&tables, "group/*/*/*.parquet");
    let merged = read(&compact, "*.parquet");
    let into = |name: &str, rows: &str| {
        let file = compact.join(name);
        format!(
            "copy ({rows}) to '{}' (format parquet, compression zstd)",
            file.display()
        )
    };
    let rows = format!("select * from {many} order by service, fingerprint");
    // As many groups as a small server has, of sizes and counts that differ from host to host.
    let made = "select md5((h * 24 + t)::varchar)[:24] as snapshot_id, md5(g::varchar)[:12] as fingerprint, \
        md5((g // 2)::varchar)[:12] as stable_fingerprint, 'table' as kind, '_G.server.group' || g as name, \
        1 + (hash(h, g) % 1000)::bigint as count, 56 * (1 + (hash(h, g) % 1000)::bigint) + t as self_size, \
        112 * (1 + (hash(h, g) % 1000)::bigint) + t as retained_size from range(10000) hosts(h), range(24) times(t), \
        range(150) names(g) order by fingerprint";
    let large = folder.join("large");
    fs::create_dir_all(&large).expect("it is made");
    let into_large = format!(
        "copy ({made}) to '{}' (format parquet, compression zstd)",
        large.join("group.parquet").display()
    );
    for (what, sql, folder) in [
        (
            "a question to the many files",
            query.replace("FROM", &many),
            None,
        ),
        (
            "they are merged",
            into("group.parquet", &rows),
            Some(&compact),
        ),
        (
            "the question to the merged file",
            query.replace("FROM", &merged),
            None,
        ),
        (
            "10,000 hosts by 24 hours, 36,000,000 rows, are made",
            into_large,
            Some(&large),
        ),
        (
            "the question to these",
            query.replace("FROM", &read(&large, "*.parquet")),
            None,
        ),
    ] {
        let start = Instant::now();
        let mut duckdb = Command::new("duckdb");
        duckdb.args(["-c", &sql]).stdout(Stdio::null());
        match duckdb.status() {
            Ok(status) => assert!(status.success(), "{sql}"),
            Err(error) => return println!("there is no duckdb: {error}"),
        }
        let size = folder.map(|folder| format!(", {:.1} MB", size(folder) as f64 / 1e6));
        let seconds = start.elapsed().as_secs_f64();
        println!("{what}: {seconds:.2} s{}", size.unwrap_or_default());
    }
}
