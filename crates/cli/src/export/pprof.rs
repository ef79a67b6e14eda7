//! pprof's profiles: what `go tool pprof`, Pyroscope, Parca and speedscope read. The messages are those of its
//! `profile.proto`, by the numbers of their fields.

use crate::export::stacks::Stacks;
use flate2::{Compression, GzBuilder};
use luasnap_format::PathTreeRow;
use prost::Message;
use std::collections::HashMap;
use std::io::{self, Write};

/// Writes a tree of paths as a profile: each path a stack, with its objects (`inuse_objects`) and their bytes
/// (`inuse_space`), and their kind as a label. `taken_at` is in milliseconds since 1970.
pub fn write(
    out: &mut dyn Write,
    rows: &[PathTreeRow],
    taken_at: Option<u64>,
    comment: &str,
) -> io::Result<()> {
    let mut gzip = GzBuilder::new().write(out, Compression::default());
    gzip.write_all(&profile(rows, taken_at, comment).encode_to_vec())?;
    gzip.finish()?;
    Ok(())
}

fn profile(rows: &[PathTreeRow], taken_at: Option<u64>, comment: &str) -> Profile {
    let mut strings = Strings::default();
    let mut typed = |kind, unit| ValueType {
        kind: strings.number(kind),
        unit: strings.number(unit),
    };
    let sample_type = vec![
        typed("inuse_objects", "count"),
        typed("inuse_space", "bytes"),
    ];
    let default_sample_type = sample_type[1].kind;
    let kind = strings.number("kind");
    let stacks = Stacks::new(rows);
    let (mut functions, mut locations) = (Vec::new(), Vec::new());
    let mut known: HashMap<(i64, i64, i64), u64> = HashMap::new();
    // By row: the location of its frame. Frames that look alike are one.
    let mut location_of = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let name = strings.number(stacks.name(at));
        let (file, line) = match &row.code {
            Some((source, line)) => (strings.number(&source.whole().to_string()), *line),
            None => (0, 0),
        };
        let line = i64::from(line);
        let id = *known.entry((name, file, line)).or_insert_with(|| {
            let id = functions.len() as u64 + 1;
            functions.push(Function {
                id,
                name,
                filename: file,
                start_line: line,
            });
            let line = vec![Line {
                function_id: id,
                line,
            }];
            locations.push(Location { id, line });
            id
        });
        location_of.push(id);
    }
    let sample = stacks.leaves().into_iter().map(|leaf| Sample {
        location_id: stacks
            .upward(leaf.row)
            .map(|row| location_of[row])
            .collect(),
        value: vec![signed(leaf.count), signed(leaf.bytes)],
        label: vec![Label {
            key: kind,
            str: strings.number(leaf.kind.type_name()),
        }],
    });
    let sample = sample.collect();
    let comment = vec![strings.number(comment)];
    Profile {
        sample_type,
        sample,
        location: locations,
        function: functions,
        string_table: strings.all,
        time_nanos: taken_at.map_or(0, |time| signed(time).saturating_mul(1_000_000)),
        comment,
        default_sample_type,
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The strings of a profile, each once; the first one is empty.
struct Strings {
    all: Vec<String>,
    numbers: HashMap<String, i64>,
}

impl Default for Strings {
    fn default() -> Strings {
        Strings {
            all: vec![String::new()],
            numbers: HashMap::from([(String::new(), 0)]),
        }
    }
}

impl Strings {
    fn number(&mut self, text: &str) -> i64 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.all.len() as i64;
        self.all.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

#[derive(Clone, PartialEq, Message)]
struct Profile {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    time_nanos: i64,
    #[prost(int64, repeated, tag = "13")]
    comment: Vec<i64>,
    #[prost(int64, tag = "14")]
    default_sample_type: i64,
}

/// What a value of each sample is, and its unit.
#[derive(Clone, PartialEq, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

/// A stack, its leaf first.
#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    label: Vec<Label>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(int64, tag = "2")]
    str: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, PartialEq, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
    #[prost(int64, tag = "5")]
    start_line: i64,
}
