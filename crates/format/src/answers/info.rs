//! The summary of a snapshot: what it has, what of that is waste, and where it comes from.

use crate::answer_error::Result;
use crate::answers::ledger::Ledger;
use crate::answers::stats::Stats;
use crate::answers::waste::{WasteAnswer, waste};
use crate::answers::weakness::{WeaknessRow, weakness};
use crate::labels::printable::printable;
use luasnap_heap::{Census, Snapshot, Waste};
use serde::Serialize;

/// The summary of a snapshot that is in a file.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    /// The id of the process that it was taken in, if known.
    pub process: Option<u32>,
    /// When it was taken, in milliseconds since 1970, if known.
    pub taken_at_ms: Option<u64>,
    /// What the state is called, printable, where something is known of it.
    #[serde(skip)]
    pub state_name: Option<String>,
    /// Objects by kind. Its memory is the [least](luasnap_heap::Heap::least_memory), so that it does not depend on who counts.
    #[serde(skip)]
    pub census: Census,
    /// The same as an answer for programs.
    #[serde(flatten)]
    pub stats: Stats,
    /// Wasted memory.
    pub waste: WasteAnswer,
    /// Weak tables of which entries stay for ever.
    pub weak_tables: Vec<WeaknessRow>,
    /// The most rows that each list has.
    #[serde(skip)]
    pub(crate) most: usize,
}

impl Info {
    /// The most rows of each list in what is stored.
    pub const STORED: usize = 20;

    /// Summarizes a snapshot, with at most so many rows in each list.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    ///
    /// # Examples
    ///
    /// ```
    /// use luasnap_format::Info;
    /// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut builder = HeapBuilder::new();
    /// let (table, _) = builder.node(Kind::Table, 0x10)?;
    /// builder.set_size(table, 100);
    /// let root = Label::Root(builder.name(b"_G")?);
    /// builder.edge(NodeId::ROOT, table, root, Strength::Strong)?;
    /// let info = Info::new(&Snapshot::new(builder.finish()?), 5)?;
    ///
    /// assert_eq!((info.census.live.count, info.census.live.bytes), (1, 100));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(snapshot: &Snapshot, most: usize) -> Result<Info> {
        let heap = snapshot.everything();
        let provenance = heap.provenance();
        let mut found = Waste::new(snapshot)?;
        // Files do not have it.
        found.census.engine_reason = None;
        found.census.memory = heap.least_memory();
        let name = provenance.state_name.as_deref();
        Ok(Info {
            process: provenance.process.map(|process| process.id),
            taken_at_ms: provenance.taken_at,
            state_name: name.map(|name| printable(name.as_bytes())),
            stats: Stats::new(snapshot, &found.census)?,
            waste: waste(snapshot, &found, most)?,
            weak_tables: weakness(snapshot, most)?,
            census: found.census,
            most,
        })
    }

    /// Where the process's memory is.
    pub fn ledger(&self) -> &Ledger {
        &self.stats.ledger
    }

    /// Returns the summary with at most `n` rows in each list; `None` if it was made for fewer, and there may be more.
    pub fn first(mut self, n: usize) -> Option<Info> {
        let strings = self.waste.strings.as_mut().map(|list| list.top.len());
        let tables = self.waste.tables.as_mut().map(|list| list.top.len());
        let lists = [strings, tables, Some(self.weak_tables.len())];
        let has_all = lists.into_iter().flatten().all(|len| len < self.most);
        if n > self.most && !has_all {
            return None;
        }
        if let Some(strings) = &mut self.waste.strings {
            strings.top.truncate(n);
        }
        if let Some(tables) = &mut self.waste.tables {
            tables.top.truncate(n);
        }
        self.weak_tables.truncate(n);
        Some(self)
    }
}
