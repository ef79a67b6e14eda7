//! A naive reader of Prometheus' text format, for gauges: it panics at what the format does not allow.

use std::collections::{BTreeMap, BTreeSet};

/// A value of a metric.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// What a file of metrics has, in its order.
#[derive(Debug)]
pub struct Exposition(pub Vec<Sample>);

impl Exposition {
    #[track_caller]
    pub fn read(text: &str) -> Exposition {
        assert!(text.ends_with('\n'), "{text}");
        let mut samples: Vec<Sample> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut families = BTreeSet::new();
        // HELP and TYPE stand above all samples of a metric, which stand together.
        let (mut described, mut typed) = (String::new(), String::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect(line);
                assert!(
                    !help.is_empty() && families.insert(name.to_owned()),
                    "{line}"
                );
                described = name.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                assert_eq!(kind, format!("{described} gauge"));
                typed.clone_from(&described);
            } else if !line.starts_with('#') {
                let sample = sample(line);
                assert_eq!(sample.name, typed, "{line}");
                let id = format!("{} {:?}", sample.name, sample.labels);
                assert!(seen.insert(id), "twice: {line}");
                samples.push(sample);
            }
        }
        Exposition(samples)
    }

    /// The names of all metrics.
    pub fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|sample| sample.name.as_str()).collect()
    }

    /// The value of a metric that has one.
    #[track_caller]
    pub fn value(&self, name: &str) -> f64 {
        let samples: Vec<&Sample> = self.of(name).collect();
        let [sample] = samples[..] else {
            panic!("{name}: {samples:?}")
        };
        sample.value
    }

    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| sample.name == name)
    }

    /// The values of groups by fingerprint, the rest included.
    pub fn groups(&self) -> BTreeMap<&str, f64> {
        let groups = self.of("lua_heap_group_bytes");
        groups
            .map(|sample| (sample.labels["fingerprint"].as_str(), sample.value))
            .collect()
    }
}

#[track_caller]
fn sample(line: &str) -> Sample {
    let (name, rest) = line.split_once('{').expect(line);
    let is_name = |name: &str| {
        let mut letters = name.bytes();
        let first = letters
            .next()
            .is_some_and(|letter| letter.is_ascii_alphabetic());
        first && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
    };
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    let mut letters = rest.chars();
    loop {
        let label: String = letters
            .by_ref()
            .take_while(|letter| *letter != '=')
            .collect();
        assert!(is_name(&label), "{line}");
        assert_eq!(letters.next(), Some('"'), "{line}");
        let mut value = String::new();
        loop {
            match letters.next().expect(line) {
                '"' => break,
                '\\' => value.push(match letters.next() {
                    Some('n') => '\n',
                    Some(letter @ ('"' | '\\')) => letter,
                    other => panic!("{other:?} after a backslash: {line}"),
                }),
                letter => value.push(letter),
            }
        }
        assert!(labels.insert(label, value).is_none(), "{line}");
        match letters.next() {
            Some(',') => {}
            Some('}') => break,
            other => panic!("{other:?} after a label: {line}"),
        }
    }
    let rest: String = letters.collect();
    // A time behind the value is what textfile collectors refuse.
    let value = rest.strip_prefix(' ').expect(line);
    Sample {
        name: name.to_owned(),
        labels,
        value: value
            .parse()
            .unwrap_or_else(|error| panic!("{error}: {line}")),
    }
}
