//! redis-server, whose fork of 5.1 has another `Table`: two states, one for scripts and one for
//! libraries of functions.

use super::OPTIONS;
use crate::heaps::{field, reachable_string};
use crate::target::Target;
use luasnap_capture::process::{attach, lua_states};
use luasnap_heap::{Census, Kind, NodeId, Reach, Snapshot, Through};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

const START: &str = "echo ready; exec redis-server --port 0 --unixsocket socket --save '' \
                     --appendonly no --logfile log";

const LIBRARY: &str = "#!lua name=library\n\
    local kept = {} \
    for i = 1, 1000 do kept[i] = { 'item ' .. i } end \
    kept.mark = { 'held by ' .. 'a library' } \
    redis.register_function('answer', function() return kept.mark[1] end)";

/// Returns a connection, once the server listens.
fn connect(folder: &Path) -> UnixStream {
    for _ in 0..2000 {
        if let Ok(stream) = UnixStream::connect(folder.join("socket")) {
            return stream;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("redis-server does not listen");
}

/// Sends a command; returns the last line of the reply.
#[track_caller]
fn ask(stream: &mut UnixStream, words: &[&str]) -> String {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command += &format!("${}\r\n{word}\r\n", word.len());
    }
    stream.write_all(command.as_bytes()).expect("a command");
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).expect("an answer");
    assert!(!line.starts_with('-'), "{line}");
    if line.starts_with('$') {
        line.clear();
        answer.read_line(&mut line).expect("an answer");
    }
    line.trim_end().to_owned()
}

#[test]
#[ignore = "needs redis-server"]
fn what_scripts_and_libraries_hold() {
    let mut command = Command::new("sh");
    command.args(["-c", START]);
    let target = Target::start_command(command, "");
    let mut stream = connect(target.folder());
    let hash = ask(
        &mut stream,
        &["SCRIPT", "LOAD", "return 'answer ' .. #KEYS"],
    );
    assert_eq!(ask(&mut stream, &["FUNCTION", "LOAD", LIBRARY]), "library");
    assert_eq!(
        ask(&mut stream, &["FCALL", "answer", "0"]),
        "held by a library"
    );

    let states = lua_states(target.id()).unwrap();
    let mut names: Vec<_> = states.iter().map(|state| state.name.as_deref()).collect();
    names.sort_unstable();
    assert_eq!(names, [Some("Redis eval"), Some("Redis functions")]);
    let attached = attach(target.id(), OPTIONS).unwrap();
    assert_eq!(attached.captures.len(), 2);
    let (mut scripts, mut libraries) = (0, 0);
    for (state, heap) in attached.captures {
        assert_eq!(state.layout, "5.1.5 in Redis 7");
        let heap = heap.unwrap_or_else(|error| panic!("{error}"));
        let registry = heap.edges(NodeId::ROOT).next().expect("a registry").target;
        if let Some(script) = field(&heap, registry, &format!("f_{hash}")) {
            assert_eq!(heap.kind(script), Kind::LuaFunction);
            scripts += 1;
        }
        let reach = Reach::new(&heap, Through::Everything).unwrap();
        libraries += u32::from(reachable_string(&heap, &reach, "held by a library").is_some());
        let census = Census::new(&Snapshot::new(heap)).unwrap();
        assert_eq!(census.unaccounted, Some(0));
    }
    assert_eq!((scripts, libraries), (1, 1));
}
