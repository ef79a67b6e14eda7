//! What is told of a step, in Prometheus' text format.
//!
//! All of them are gauges in base units.

use crate::failure::Result;
use crate::fleet::Origin;
use crate::metrics::help::help;
use luasnap_format::{GroupShares, Name, WatchStep, fit, printable};
use luasnap_words::Sentence;
use prometheus::TextEncoder;
use prometheus::proto::{Gauge, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::HashMap;
use std::time::Duration;

/// The value of the three labels of all groups that have no row.
const OTHER: &str = "other";

/// The most characters of a name. Steps of its paths are left out first.
const LONGEST_NAME: usize = 160;

/// What is watched.
pub struct Watched {
    /// The process.
    pub pid: u32,
    /// The name of its program.
    pub program: String,
    /// The address of the state.
    pub state: u64,
    /// What the state is called, where something is known of it.
    pub state_name: Option<String>,
    /// The VM's family: `Lua 5.4`.
    pub vm: String,
    /// The time between two steps.
    pub every: Duration,
}

/// What is told of a process, from step to step.
pub struct Exposition {
    watched: Watched,
    origin: Origin,
    has_names: bool,
    /// The names of the groups that were told last, by fingerprint. A group whose name is that of an example, which may be
    /// another one, keeps it.
    names: HashMap<String, String>,
}

/// Labels by name.
type Labels<'a> = Vec<(&'static str, &'a str)>;

impl Exposition {
    /// Tells of a process of this origin; of its groups with their names or by their fingerprints alone.
    pub fn new(mut watched: Watched, origin: Origin, has_names: bool) -> Exposition {
        let name = watched.state_name.take();
        watched.state_name = name.map(|name| short(printable(name.as_bytes())));
        Exposition {
            watched,
            origin,
            has_names,
            names: HashMap::new(),
        }
    }

    /// Returns what is told of a step.
    ///
    /// # Errors
    ///
    /// A sentence, if it cannot be put into the format.
    pub fn text(&mut self, step: &WatchStep, shares: &GroupShares) -> Result<String> {
        self.keep_names(shares);
        let (pid, state) = (
            self.watched.pid.to_string(),
            format!("{:#x}", self.watched.state),
        );
        let of_all = [
            ("service", self.origin.service.as_str()),
            ("pid", &pid),
            ("state", &state),
        ];
        let with = |more: Labels<'_>, value: f64| sample(&[&of_all[..], &more].concat(), value);
        let known =
            |name, value: Option<f64>| value.map(|value| family(name, vec![with(vec![], value)]));
        let bytes = |bytes: u64| bytes as f64;
        let seconds = |milliseconds: u64| milliseconds as f64 / 1000.0;
        let groups = self.groups(shares, &with);
        let families = [
            known("lua_heap_bytes", Some(bytes(step.size))),
            known("lua_heap_objects", Some(step.objects as f64)),
            known("lua_heap_garbage_bytes", step.garbage.map(bytes)),
            Some(family("lua_heap_group_bytes", groups)),
            known("lua_vm_bytes", step.vm_total.map(bytes)),
            known("process_resident_bytes", step.resident.map(bytes)),
            Some(family("lua_state_info", vec![with(self.info(), 1.0)])),
            known(
                "lua_snapshot_timestamp_seconds",
                step.taken_at_ms.map(seconds),
            ),
            known(
                "lua_snapshot_interval_seconds",
                Some(self.watched.every.as_secs_f64()),
            ),
            // In whole microseconds.
            known(
                "lua_snapshot_pause_seconds",
                Some((step.pause * 1000.0).round() / 1e6),
            ),
            known(
                "lua_snapshot_exact",
                Some(f64::from(u8::from(step.is_exact))),
            ),
        ];
        let families: Vec<MetricFamily> = families.into_iter().flatten().collect();
        let text = TextEncoder::new().encode_to_string(&families);
        text.map_err(|error| {
            Sentence::new("metrics.cannot_encode")
                .with("reason", error.to_string())
                .into()
        })
    }

    /// Keeps the names of the groups that are told now, and forgets all others.
    fn keep_names(&mut self, shares: &GroupShares) {
        let known = std::mem::take(&mut self.names);
        let names = shares.rows.iter().map(|row| {
            let name = known.get(&row.fingerprint).cloned();
            let name = name.unwrap_or_else(|| group_label(&row.name));
            (row.fingerprint.clone(), name)
        });
        self.names = names.collect();
    }

    fn groups(
        &self,
        shares: &GroupShares,
        with: &impl Fn(Labels<'_>, f64) -> Metric,
    ) -> Vec<Metric> {
        let group = |fingerprint, kind, name, bytes: u64| {
            let mut labels = vec![("fingerprint", fingerprint), ("kind", kind)];
            if self.has_names {
                labels.push(("name", name));
            }
            with(labels, bytes as f64)
        };
        let rows = shares.rows.iter().map(|row| {
            let name = self.names.get(&row.fingerprint).map_or("", String::as_str);
            group(&row.fingerprint, row.kind.type_name(), name, row.size)
        });
        let other = std::iter::once_with(|| group(OTHER, OTHER, OTHER, shares.other));
        rows.chain(other).collect()
    }

    fn info(&self) -> Labels<'_> {
        let mut labels = vec![
            ("program", self.watched.program.as_str()),
            ("vm", &self.watched.vm),
        ];
        if let (true, Some(name)) = (self.has_names, &self.watched.state_name) {
            labels.push(("name", name));
        }
        if let Some(release) = &self.origin.release {
            labels.push(("release", release));
        }
        labels
    }
}

/// Returns the name of a group as people see it, but never long.
fn group_label(name: &Name) -> String {
    short(name.to_string())
}

fn short(text: String) -> String {
    let fitted = fit(&text, LONGEST_NAME, |text| text.chars().count());
    match fitted.char_indices().nth(LONGEST_NAME) {
        Some(_) => {
            let kept = fitted.chars().take(LONGEST_NAME - 1);
            kept.chain(['…']).collect()
        }
        None => fitted,
    }
}

fn family(name: &str, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help(name).to_owned());
    family.set_field_type(MetricType::GAUGE);
    family.set_metric(metrics);
    family
}

fn sample(labels: &[(&'static str, &str)], value: f64) -> Metric {
    let labels = labels.iter().map(|(name, value)| {
        let mut label = LabelPair::default();
        label.set_name((*name).to_owned());
        label.set_value((*value).to_owned());
        label
    });
    let mut metric = Metric::from_label(labels.collect());
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    metric.set_gauge(gauge);
    metric
}
