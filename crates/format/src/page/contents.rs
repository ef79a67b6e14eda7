//! What is on a page: the answers, and what only the page needs beside them.

use crate::answer_error::{AnswerError, Result};
use crate::answers::dominator_cells::{CellRow, DominatorCells, KeptCells};
use crate::answers::field;
use crate::answers::finding::{Finding, FindingRow, of_largest, of_suspects};
use crate::answers::growth::{self, GrowthAnswer, elapsed_over};
use crate::answers::name::Name;
use crate::answers::stats::Stats;
use crate::answers::top::{Top, top};
use crate::answers::waste::{WasteAnswer, waste};
use crate::answers::weakness::{WeaknessRow, weakness};
use crate::labels::printable::printable;
use crate::page::in_chinese::in_chinese;
use crate::page::options::{PageError, PageOptions, PageSnapshot};
use crate::page::short_texts::shorten;
use luasnap_heap::{
    Census, Engine, GroupOrder, Growth, Heap, Kind, NodeId, Snapshot, Suspect, Waste,
};
use luasnap_words::{Language, Sentence};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::io;

/// The version of the data. It changes where a field is gone or has another meaning.
const VERSION: u32 = 1;
/// The most texts and tables that waste memory.
const WASTE_ROWS: usize = 5;

/// The answers of which a page is made.
pub(super) struct Contents<'a> {
    about: &'a [PageSnapshot<'a>],
    options: &'a PageOptions,
    /// What there is to say in a sentence or two.
    pub(super) verdict: Option<Sentence>,
    censuses: Vec<Census>,
    top: Top,
    growth: Option<GrowthAnswer>,
    findings: Vec<Finding>,
    stats: Stats,
    waste: WasteAnswer,
    weak_tables: Vec<WeaknessRow>,
    cells: DominatorCells<'a>,
    /// Whether it is known what of the cells came since the first snapshot.
    has_new: bool,
}

impl<'a> Contents<'a> {
    pub(super) fn new(
        about: &'a [PageSnapshot<'a>],
        options: &'a PageOptions,
    ) -> Result<Contents<'a>, PageError> {
        let snapshots: Vec<&Snapshot> = about.iter().map(|of| of.snapshot).collect();
        let last = snapshots[snapshots.len() - 1];
        let grown = match snapshots.len() {
            1 => None,
            _ => Some(Growth::new(&snapshots)?),
        };
        let top = top(last, GroupOrder::Retained, options.rows)?;
        let suspects: Vec<Suspect> = match &grown {
            Some(growth) => growth.suspects(last).map_err(AnswerError::from)?,
            None => Vec::new(),
        };
        let growth = match &grown {
            Some(growth) => Some(growth::answer(&snapshots, growth, &suspects, options.rows)?),
            None => None,
        };
        let findings = match &growth {
            Some(answer) => of_suspects(&snapshots, &suspects, answer)?,
            None => of_largest(last, &top)?,
        };
        drop(grown);
        let first = snapshots[0].everything().provenance();
        let is_series = snapshots.len() > 1;
        let is_one_process = first.may_be_one_process(last.everything().provenance());
        let older = (is_series && is_one_process).then_some(snapshots[0]);
        let cells = DominatorCells::new(last, older)?;
        let found = Waste::new(last).map_err(AnswerError::from)?;
        let others = &snapshots[..snapshots.len() - 1];
        let others = others.iter().map(|snapshot| Census::new(snapshot));
        let mut censuses: Vec<Census> = others
            .collect::<Result<_, _>>()
            .map_err(AnswerError::from)?;
        censuses.push(found.census.clone());
        let verdict = match &growth {
            Some(growth) => Some(growth.verdict.clone()),
            None => top.verdict.clone(),
        };
        Ok(Contents {
            about,
            options,
            verdict,
            censuses,
            stats: Stats::new(last, &found.census)?,
            waste: waste(last, &found, WASTE_ROWS)?,
            weak_tables: weakness(last, WASTE_ROWS)?,
            top,
            growth,
            findings,
            cells,
            has_new: older.is_some(),
        })
    }

    /// Returns the data with at most this many cells (and as many for what is left below them), and at most this
    /// many rows of each sort.
    pub(super) fn data(&mut self, cells: usize, rows: usize) -> Result<Value> {
        let kept = self.cells.kept(cells)?;
        expect_room(kept.rows.len() + rows.min(self.top.groups.len()))?;
        for finding in &mut self.findings {
            finding.place(&self.cells, &kept);
        }
        let title = self.options.title.as_ref();
        let data = Data {
            version: VERSION,
            made_by: concat!("luasnap ", env!("CARGO_PKG_VERSION")),
            title: title.map(|title| printable(title.as_bytes())),
            language: self.options.language.map(Language::code),
            command: self.options.command.as_deref(),
            strings: self.texts(),
            elapsed_ms: elapsed_over(&self.snapshots()),
            snapshots: self.facts(),
            top: &self.top,
            growth: self.growth.as_ref(),
            findings: self.findings.iter().map(|finding| &finding.row).collect(),
            stats: &self.stats,
            waste: &self.waste,
            weak_tables: &self.weak_tables,
            chinese: in_chinese(&self.top, self.growth.as_ref(), rows),
            cells: Columns::new(&kept, self.has_new),
        };
        let mut data = serde_json::to_value(data).map_err(io::Error::from)?;
        for list in ["/top/groups", "/growth/changed", "/growth/growing"] {
            if let Some(Value::Array(list)) = data.pointer_mut(list) {
                list.truncate(rows);
            }
        }
        let command = data.get("command").cloned();
        shorten(&mut data);
        if let Some(command) = command {
            data["command"] = command;
        }
        Ok(data)
    }

    fn snapshots(&self) -> Vec<&'a Snapshot> {
        self.about.iter().map(|of| of.snapshot).collect()
    }

    fn facts(&self) -> Vec<SnapshotRow> {
        let about = self.about.iter().zip(&self.censuses);
        let row = |(of, census): (&PageSnapshot<'_>, &Census)| {
            let provenance = of.snapshot.everything().provenance();
            SnapshotRow {
                file: of.name.map(|name| printable(name.as_bytes())),
                file_bytes: of.file_bytes,
                taken_at_ms: provenance.taken_at,
                process: provenance.process.map(|process| process.id),
                vm: provenance.vm.to_string(),
                layout: provenance.layout.as_ref().map(ToString::to_string),
                engine: provenance.engine.name(),
                size: census.live.bytes,
                count: census.live.count,
            }
        };
        about.map(row).collect()
    }

    /// Says whether the texts of strings are on the page.
    fn texts(&self) -> &'static str {
        if !self.options.strings {
            return "left_out";
        }
        let heaps = self.about.iter().map(|of| of.snapshot.everything());
        match heaps.map(texts_in).max() {
            Some(Texts::LeftOut) => "left_out_of_the_file",
            Some(Texts::Unknown) => "unknown",
            Some(Texts::Here) | None => "beginnings",
        }
    }
}

/// Asks for the memory that a page with this many cells and rows takes, and gives it back: JSON and HTML are made
/// without asking, and in a host they must not be what ends it.
fn expect_room(rows: usize) -> Result {
    const A_ROW: usize = 2 << 10;
    const ALL_ELSE: usize = 4 << 20;
    let mut room: Vec<u8> = Vec::new();
    room.try_reserve_exact(ALL_ELSE + rows * A_ROW)?;
    // Otherwise the compiler may leave it out.
    std::hint::black_box(&mut room);
    Ok(())
}

/// Whether a heap has the texts of strings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Texts {
    Here,
    Unknown,
    LeftOut,
}

fn texts_in(heap: &Heap) -> Texts {
    if heap.provenance().engine == Engine::Portable {
        return Texts::Unknown;
    }
    let is_without =
        |node: &NodeId| heap.kind(*node) == Kind::String && heap.source(*node).is_empty();
    // A VM has one empty string.
    match heap.nodes().filter(is_without).nth(1) {
        Some(_) => Texts::LeftOut,
        None => Texts::Here,
    }
}

/// The data of a page, as its script reads them.
#[derive(Serialize)]
struct Data<'a> {
    version: u32,
    made_by: &'static str,
    title: Option<String>,
    language: Option<&'static str>,
    command: Option<&'a str>,
    /// `beginnings`, `left_out` by the options, `left_out_of_the_file`, or `unknown`.
    strings: &'static str,
    elapsed_ms: Option<u64>,
    snapshots: Vec<SnapshotRow>,
    top: &'a Top,
    growth: Option<&'a GrowthAnswer>,
    findings: Vec<&'a FindingRow>,
    stats: &'a Stats,
    waste: &'a WasteAnswer,
    weak_tables: &'a [WeaknessRow],
    /// What the answers say in English, and the same in Chinese.
    chinese: Vec<(String, String)>,
    cells: Columns<'a>,
}

/// A snapshot, and where it comes from.
#[derive(Serialize)]
struct SnapshotRow {
    file: Option<String>,
    file_bytes: Option<u64>,
    taken_at_ms: Option<u64>,
    process: Option<u32>,
    vm: String,
    layout: Option<String>,
    engine: &'static str,
    size: u64,
    count: u64,
}

/// The cells by columns, which take far less room than rows.
#[derive(Serialize)]
struct Columns<'a> {
    parent: Vec<Option<u32>>,
    #[serde(rename = "type")]
    kinds: Vec<KindName>,
    name: Vec<&'a Name>,
    path: Vec<&'a Name>,
    fingerprint: Vec<Option<&'a str>>,
    count: Vec<u64>,
    size: Vec<u64>,
    retained: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new: Vec<u64>,
    others: Vec<bool>,
}

/// A kind by its type name.
struct KindName(Kind);

impl Serialize for KindName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        field::kind(&self.0, serializer)
    }
}

impl<'a> Columns<'a> {
    fn new(kept: &'a KeptCells, has_new: bool) -> Columns<'a> {
        let rows = &kept.rows;
        fn column<'a, T>(rows: &'a [CellRow], of: impl Fn(&'a CellRow) -> T) -> Vec<T> {
            rows.iter().map(of).collect()
        }
        Columns {
            parent: column(rows, |row| row.parent),
            kinds: column(rows, |row| KindName(row.kind)),
            name: column(rows, |row| &row.name),
            path: column(rows, |row| &row.path),
            fingerprint: column(rows, |row| row.fingerprint.as_deref()),
            count: column(rows, |row| row.count),
            size: column(rows, |row| row.shallow),
            retained: column(rows, |row| row.retained),
            new: match has_new {
                true => column(rows, |row| row.new),
                false => Vec::new(),
            },
            others: column(rows, |row| row.others),
        }
    }
}
