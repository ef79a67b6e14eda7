//! Measures what the command line's questions take, by phases, as multiples of opening the same file.
//!
//! `cargo bench -p luasnap -- server` prints the tables; `--sessions N` sets the size: a session is six objects
//! (2200000 are 13 million objects and 1.3 GB of Lua); `--program FILE` measures the verbs of another luasnap; `--check` exits
//! with an error where an aim is missed.

use luasnap_format::open_snapshot;
use luasnap_heap::{Census, Dominators, GroupOrder, NodeId, Reach, ShortestPathTree, Through};
use std::ffi::OsStr;
use std::fs;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The number of runs of each measurement. The quickest counts, since other programs use the machine too.
const ROUNDS: usize = 5;
/// How many candidates `luasnap top` measures.
const GROUPS: usize = 22;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let sessions: usize = value("--sessions").map_or(400_000, |number| {
        number.parse().expect("--sessions takes a number")
    });
    let program = value("--program").unwrap_or(env!("CARGO_BIN_EXE_luasnap").to_owned());
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = saved(&folder.path().join("server.luasnap"), sessions);
    let later = saved(
        &folder.path().join("later.luasnap"),
        sessions + sessions / 100,
    );
    let opened = print_phases(&file);
    let missed = print_verbs(Path::new(&program), [&file, &later], opened, sessions);
    if !missed.is_empty() {
        println!("\nmissed: {}", missed.join("; "));
    }
    if !missed.is_empty() && args.iter().any(|arg| arg == "--check") {
        std::process::exit(1);
    }
}

/// Saves what a server has that goes on making garbage.
fn saved(file: &Path, sessions: usize) -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/server.lua");
    let luasnap = env!("CARGO_BIN_EXE_luasnap");
    let server = Command::new(luasnap)
        .args(["run", "--quiet", script, &sessions.to_string()])
        .stdout(Stdio::piped())
        .spawn();
    let mut server = server.expect("luasnap starts");
    let mut ready = [0; 5];
    let mut stdout = server.stdout.take().expect("it is piped");
    stdout.read_exact(&mut ready).expect("the server starts");
    let attached = Command::new(luasnap)
        .args(["attach", "--quiet", "--output"])
        .args([file.as_os_str(), server.id().to_string().as_ref()])
        .stdout(Stdio::null())
        .status();
    server
        .kill()
        .and_then(|()| server.wait().map(drop))
        .expect("it is a child");
    assert!(attached.expect("luasnap starts").success());
    file.to_owned()
}

/// Measures the phases of questions, and returns the seconds of opening the file.
fn print_phases(file: &Path) -> f64 {
    let open = || open_snapshot(file).expect("it is opened");
    let opened = quickest(|| drop(black_box(open())));
    let snapshot = open();
    let heap = snapshot.everything();
    println!(
        "{} nodes, {} references, {} bytes in the file\n",
        heap.node_count(),
        heap.edge_count(),
        fs::metadata(file).map_or(0, |file| file.len())
    );
    println!("| phase | ms | of opening |\n|---|--:|--:|");
    let row = |phase: &str, seconds: f64| {
        println!(
            "| {phase} | {:.0} | {:.2} |",
            1e3 * seconds,
            seconds / opened
        );
    };
    row("opening the file", opened);
    row(
        "reach",
        quickest(|| {
            black_box(Reach::new(heap, Through::Everything).expect("enough memory"));
        }),
    );
    row(
        "tree of shortest paths",
        quickest(|| {
            black_box(ShortestPathTree::new(heap).expect("enough memory"));
        }),
    );
    row(
        "dominators",
        quickest(|| {
            black_box(Dominators::new(heap).expect("enough memory"));
        }),
    );
    let (dominators, tree) = (snapshot.dominators(), snapshot.everything_tree());
    let (dominators, _) = (
        dominators.expect("enough memory"),
        tree.expect("enough memory"),
    );
    row(
        "groups",
        once(|| {
            snapshot.groups().expect("enough memory");
        }),
    );
    let groups = snapshot.groups().expect("enough memory");
    row(
        "retained sizes of 52 groups",
        quickest(|| {
            let top = groups.top_candidates(heap, dominators, GroupOrder::Retained, GROUPS);
            black_box(top.expect("enough memory"));
        }),
    );
    row(
        "retained sizes of 40 scattered sets",
        quickest(|| {
            let sets: Vec<Vec<NodeId>> = (0..40)
                .map(|set| scattered(heap.node_count(), set))
                .collect();
            let sets: Vec<&[NodeId]> = sets.iter().map(Vec::as_slice).collect();
            black_box(
                dominators
                    .retained_by_each(heap, &sets)
                    .expect("enough memory"),
            );
        }),
    );
    row(
        "census",
        quickest(|| {
            black_box(Census::new(&snapshot).expect("enough memory"));
        }),
    );
    opened
}

/// Returns one node in a thousand, others for each set.
fn scattered(nodes: usize, set: usize) -> Vec<NodeId> {
    let ids = (1 + 23 * set..nodes).step_by(1000);
    ids.map(|id| NodeId(id as u32)).collect()
}

/// What is asked, and what it may take.
struct Question<'a> {
    verb: &'a str,
    arguments: Vec<&'a OsStr>,
    /// Seconds without a kept answer, of 2.2 million sessions.
    aim: f64,
    /// Bytes at the peak, of as many.
    peak: Option<f64>,
    /// Seconds that it may take where its answer, or what that is taken from, is kept; `None` where nothing is.
    kept_aim: Option<f64>,
}

/// Seconds that a kept answer may take, however large the heap is.
const KEPT_AIM: f64 = 0.2;
/// Seconds that `path` may take where paths and dominators are kept, of so many sessions.
const PATH_AIM: f64 = 1.0;
/// The number of sessions for which the aims are meant.
const AIMED: f64 = 2_200_000.0;

/// Measures whole verbs of a program, and returns the aims that it missed.
fn print_verbs(
    program: &Path,
    [file, later]: [&Path; 2],
    opened: f64,
    sessions: usize,
) -> Vec<String> {
    println!("\n| verb | s | of opening | peak memory | aim |\n|---|--:|--:|--:|---|");
    let (file, later) = (file.as_os_str(), later.as_os_str());
    let question = |verb: &'static str, more: &'static [&'static str], aim, peak, kept_aim| {
        let mut arguments = vec![OsStr::new(verb), file];
        arguments.extend(more.iter().map(OsStr::new));
        arguments.extend((verb == "diff").then_some(later));
        Question {
            verb,
            arguments,
            aim,
            peak,
            kept_aim,
        }
    };
    let scale = sessions as f64 / AIMED;
    const INVENTORY: &[&str] = &["_G.server.sessions.player17.inventory"];
    let questions = [
        question("top", &[], 3.0, Some(1.2e9), Some(KEPT_AIM)),
        question("info", &[], 3.0, None, Some(KEPT_AIM)),
        question("diff", &[], 5.0, None, Some(KEPT_AIM)),
        question(
            "path",
            INVENTORY,
            PATH_AIM,
            Some(1.2e9),
            Some(PATH_AIM * scale),
        ),
    ];
    let mut missed = Vec::new();
    let mut row = |name: String, arguments: &[&OsStr], aim: f64, peak_aim: Option<f64>| {
        let mut peak = 0;
        let seconds = quickest(|| {
            peak = peak.max(run(Command::new(program).args(arguments)));
        });
        let peak_said = peak_aim.map_or(String::new(), |peak| format!(", {:.0} MB", peak / 1e6));
        println!(
            "| {name} | {seconds:.2} | {:.1} | {:.0} MB | {aim:.2} s{peak_said} |",
            seconds / opened,
            peak as f64 / 1e6
        );
        if seconds > aim || peak_aim.is_some_and(|aim| peak as f64 > aim) {
            missed.push(name);
        }
    };
    for of in questions {
        // An older luasnap keeps none.
        let help = Command::new(program).args([of.verb, "--help"]).output();
        let help = help.expect("the program starts").stdout;
        let keeps = String::from_utf8_lossy(&help).contains("--no-cache");
        let mut without = of.arguments.clone();
        without.extend(keeps.then_some(OsStr::new("--no-cache")));
        let peak = of.peak.map(|peak| peak * scale);
        row(of.verb.to_owned(), &without, of.aim * scale, peak);
        if let Some(kept_aim) = of.kept_aim.filter(|_| keeps) {
            // The first one keeps the answer.
            run(Command::new(program).args(&of.arguments));
            let name = format!("{}, its answer kept", of.verb);
            row(name, &of.arguments, kept_aim, peak);
        }
    }
    missed
}

/// Runs a program to its end, and returns its peak memory in bytes, as far as it was seen.
fn run(command: &mut Command) -> u64 {
    let started = command.stdout(Stdio::piped()).spawn();
    let mut child = started.expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut stdout = child.stdout.take().expect("it is piped");
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).map(|_| text)
    });
    let mut peak = 0;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = kilobytes.map_or(peak, |kilobytes: u64| 1024 * kilobytes);
        match child.try_wait().expect("it is a child") {
            Some(ended) => break ended,
            None => sleep(Duration::from_millis(1)),
        }
    };
    let text = reader.join().expect("the reader ends").expect("it is read");
    assert!(ended.success() && !text.is_empty(), "{ended}");
    peak
}

/// Returns the seconds of the quickest of some runs.
fn quickest(mut run: impl FnMut()) -> f64 {
    let started = Instant::now();
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        best = best.min(once(&mut run));
        if started.elapsed() > Duration::from_secs(30) {
            break;
        }
    }
    best
}

fn once(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}
