//! `luasnap export`.

use crate::files::{answer, ask, json, town};
use crate::program::{luasnap, output};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn chrome_gets_every_object() {
    let text = answer(&["export", "1.luasnap"]);
    assert_eq!(
        text,
        answer(&["export", "1.luasnap", "--to", "heapsnapshot"])
    );
    let file: Value = serde_json::from_str(&text).unwrap();
    let info = &file["snapshot"];
    let fields = info["meta"]["node_fields"].as_array().unwrap().len();
    let nodes = file["nodes"].as_array().unwrap().len();
    assert_eq!(info["node_count"], nodes / fields);
    let strings = file["strings"].as_array().unwrap();
    for name in ["House", "person5", "town", "main thread"] {
        assert!(strings.contains(&name.into()), "{name}");
    }
    // Named after its body, though it waits in a C function.
    let is_crier = |name: &Value| name.as_str().unwrap().starts_with("coroutine town.lua:");
    assert!(strings.iter().any(is_crier));
}

#[test]
fn the_other_formats_are_those_of_the_module() {
    let indented = answer(&["export", "1.luasnap", "--to", "json-indented"]);
    let json = answer(&["export", "1.luasnap", "--to", "json"]);
    assert!(json.lines().count() == 1 && indented.lines().count() > 1000);
    let [json, indented] =
        [&json, &indented].map(|text| serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(json, indented);
    assert_eq!(json["link"], "[REGISTRY]");
    let text = answer(&["export", "1.luasnap", "--to", "text"]);
    let head = "                      name\t  refs\t              desc\tlink\n";
    assert!(text.starts_with(head), "{text}");
    assert!(
        text.lines()
            .any(|line| line.ends_with(".town.people.person5")),
        "{text}"
    );
}

#[test]
fn a_file_is_written_or_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = town().join("1.luasnap");
    let export = |to: &str| {
        let mut command = luasnap(folder.path());
        command.arg("export").arg(&snapshot).args(["-o", to]);
        output(command, "")
    };
    let file = folder.path().join("out.heapsnapshot");
    fs::write(&file, "older").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let ran = export("out.heapsnapshot");
    // Others could read the previous file.
    let warning = "luasnap: warning: 'out.heapsnapshot' keeps its mode 644, by which others can read it, \
                   and a heap may have secrets in it: chmod 600 keeps them out\n";
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (Some(0), "", warning)
    );
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        answer(&["export", "1.luasnap"])
    );
    let ran = export("no/such/folder");
    let expected = "luasnap: cannot write 'no/such/folder': No such file or directory\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(125), expected));
    let ran = export("/dev/full");
    let expected = "luasnap: cannot write '/dev/full': No space left on device\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(125), expected));
}

/// A message of protobuf: the fields by number, each a number or bytes.
fn fields(mut message: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    fn varint(message: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = message.split_first().unwrap();
            *message = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        fields.push(match tag & 7 {
            0 => (tag >> 3, varint(&mut message), Vec::new()),
            2 => {
                let len = varint(&mut message) as usize;
                let (bytes, rest) = message.split_at(len);
                message = rest;
                (tag >> 3, 0, bytes.to_vec())
            }
            kind => panic!("a field of kind {kind}"),
        });
    }
    fields
}

/// The numbers of a packed field.
fn numbers(packed: &[u8]) -> Vec<u64> {
    // As fields of the number 1 without their tags.
    let mut tagged = Vec::new();
    let mut is_start = true;
    for &byte in packed {
        tagged.extend(is_start.then_some(1 << 3));
        tagged.push(byte);
        is_start = byte & 0x80 == 0;
    }
    fields(&tagged).into_iter().map(|field| field.1).collect()
}

/// A sample of a profile: its frames from the beginning of the path, its values, and its kind.
#[derive(Debug)]
struct Sample {
    /// Name, file, line.
    frames: Vec<(String, String, u64)>,
    objects: u64,
    bytes: u64,
    kind: String,
}

/// Reads a profile: its samples, and the words of its head.
fn profile(file: &Path) -> (Vec<Sample>, Vec<String>) {
    let mut bytes = Vec::new();
    let compressed = fs::File::open(file).unwrap();
    flate2::read::GzDecoder::new(compressed)
        .read_to_end(&mut bytes)
        .unwrap();
    let all = fields(&bytes);
    let of = |number: u64| all.iter().filter(move |field| field.0 == number);
    let strings: Vec<String> = of(6)
        .map(|field| String::from_utf8(field.2.clone()).unwrap())
        .collect();
    let number = |message: &[u8], wanted: u64| {
        let found = fields(message).into_iter().find(|field| field.0 == wanted);
        found.map_or(0, |field| field.1)
    };
    let part = |message: &[u8], wanted: u64| {
        let found = fields(message).into_iter().find(|field| field.0 == wanted);
        found.map(|field| field.2).unwrap_or_default()
    };
    let text = |message: &[u8], field: u64| strings[number(message, field) as usize].clone();
    let frame = |location: u64| {
        let location = of(4).find(|of| number(&of.2, 1) == location).unwrap();
        let line = part(&location.2, 4);
        let function = of(5).find(|of| number(&of.2, 1) == number(&line, 1));
        let function = &function.unwrap().2;
        (text(function, 2), text(function, 4), number(&line, 2))
    };
    let samples = of(2).map(|sample| {
        let values = numbers(&part(&sample.2, 2));
        let mut frames: Vec<_> = numbers(&part(&sample.2, 1))
            .into_iter()
            .map(frame)
            .collect();
        frames.reverse();
        let label = part(&sample.2, 3);
        assert_eq!(text(&label, 1), "kind");
        Sample {
            frames,
            objects: values[0],
            bytes: values[1],
            kind: text(&label, 2),
        }
    });
    let types = of(1).flat_map(|of| [text(&of.2, 1), text(&of.2, 2)]);
    let default = of(14).map(|field| strings[field.1 as usize].clone());
    (samples.collect(), types.chain(default).collect())
}

fn steps(sample: &Sample) -> String {
    let frames: Vec<&str> = sample.frames.iter().map(|frame| &*frame.0).collect();
    frames.join(";")
}

/// Exports from the town to a file.
fn exported(words: &[&str], name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let path = file.to_str().unwrap();
    assert_eq!(answer(&[words, &["-o", path]].concat()), "");
    file
}

#[test]
fn a_profile_has_every_object_in_use_once() {
    let file = exported(&["export", "1.luasnap", "--to", "pprof"], "town.pb.gz");
    let (samples, head) = profile(&file);
    assert_eq!(
        head,
        [
            "inuse_objects",
            "count",
            "inuse_space",
            "bytes",
            "inuse_space"
        ]
    );
    let info = json(&["info", "1.luasnap"]);
    let sum = |value: fn(&Sample) -> u64| samples.iter().map(value).sum::<u64>();
    assert_eq!(sum(|of| of.objects), info["objects"]["count"]);
    assert_eq!(sum(|of| of.bytes), info["objects"]["bytes"]);
    let at = |path: &str, kind: &str| {
        let mut found = samples
            .iter()
            .filter(|of| steps(of) == path && of.kind == kind);
        found
            .next()
            .unwrap_or_else(|| panic!("{path}: {samples:#?}"))
    };
    // The mayor is one of them, and nearer.
    assert_eq!(at("_G;town;people;people.*", "table").objects, 99);
    // Each rings from the same line.
    let bell = at("_G;town;bells;bells.[*]", "function");
    let (_, source, line) = bell.frames.last().unwrap();
    assert_eq!((bell.objects, source.as_str()), (100, "town.lua"));
    assert!(*line > 0);
}

#[test]
fn collapsed_stacks_are_the_same_paths() {
    let text = answer(&["export", "1.luasnap", "--to", "collapsed"]);
    let lines = text.lines().map(|line| line.rsplit_once(' ').unwrap());
    let bytes = |line: (&str, &str)| line.1.parse::<u64>().unwrap();
    let sum: u64 = lines.clone().map(bytes).sum();
    assert_eq!(sum, json(&["info", "1.luasnap"])["objects"]["bytes"]);
    let file = exported(&["export", "1.luasnap", "--to", "pprof"], "same.pb.gz");
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for sample in profile(&file).0.iter().filter(|of| of.bytes > 0) {
        *expected.entry(steps(sample)).or_default() += sample.bytes;
    }
    let found = lines.map(|line| (line.0.to_owned(), bytes(line)));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
}

#[test]
fn growth_is_what_each_path_has_more() {
    let at = |words: &[&str]| -> BTreeMap<String, u64> {
        let text = answer(&[words, &["--to", "collapsed"]].concat());
        let lines = text.lines().map(|line| line.rsplit_once(' ').unwrap());
        lines
            .map(|(path, bytes)| (path.to_owned(), bytes.parse().unwrap()))
            .collect()
    };
    let people = "_G;town;people;people.*";
    let before = at(&["export", "1.luasnap"]);
    let after = at(&["export", "2.luasnap"]);
    let grown = at(&["export", "2.luasnap", "--since", "1.luasnap"]);
    assert_eq!(grown[people], after[people] - before[people]);
    assert!(!grown.contains_key("[mainthread]"), "{grown:#?}");
    // Fewer are left at no path.
    let gone = at(&["export", "1.luasnap", "--since", "2.luasnap"]);
    assert!(!gone.contains_key(people), "{gone:#?}");
}

#[test]
fn only_paths_can_have_grown() {
    let ran = ask(&["export", "2.luasnap", "--since", "1.luasnap"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    let words = "only pprof and collapsed can have what grew: --since is for these";
    assert!(ran.stderr.contains(words), "{ran:#?}");
}

/// `go tool pprof` adds up what we do.
#[test]
#[ignore = "needs Go"]
fn go_reads_a_profile() {
    let file = exported(&["export", "1.luasnap", "--to", "pprof"], "go.pb.gz");
    let mut go = Command::new("go");
    go.args(["tool", "pprof", "-top", "-unit=B", "-nodefraction=0"]);
    let ran = output_of(go.arg(&file));
    let bytes = &json(&["info", "1.luasnap"])["objects"]["bytes"];
    assert!(ran.contains(&format!("of {bytes}B total")), "{ran}");
    assert!(ran.contains("people.*"), "{ran}");
}

fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:#?}");
    String::from_utf8(output.stdout).unwrap()
}
