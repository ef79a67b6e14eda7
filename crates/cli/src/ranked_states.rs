//! Lua states by what they hold, a row each: those of one process, or of several.

use crate::failure::Result;
use crate::look;
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use crate::table::{Column, Columns};
use luasnap_format::{StateRow, byte_size, grouped, printable_path};
use luasnap_words::Sentence;
use serde::Serialize;
use std::path::PathBuf;

/// Lua states, the largest first.
#[derive(Serialize)]
pub struct RankedStates {
    /// The first of them.
    states: Vec<RankedState>,
    /// How many there are.
    state_count: usize,
    /// What all of them hold, in bytes.
    total: u64,
}

#[derive(Serialize)]
struct RankedState {
    file: String,
    #[serde(flatten)]
    state: StateRow,
}

impl RankedStates {
    /// Reads the files one after the other, and ranks their states. Returns so many rows.
    pub fn find(paths: &[PathBuf], rows: usize) -> Result<RankedStates> {
        let progress = Progress::new(paths.len());
        let read = |path: &PathBuf| {
            let file = SnapshotFile::open(path, &progress)?;
            Ok(RankedState {
                file: path.display().to_string(),
                state: StateRow::new(&file.snapshot)?,
            })
        };
        let mut states = paths.iter().map(read).collect::<Result<Vec<_>>>()?;
        // Those of one size stay in the order of their files.
        states.sort_by_key(|one| std::cmp::Reverse(one.state.total));
        let (state_count, totals) = (states.len(), states.iter().map(|one| one.state.total));
        let total = totals.fold(0, u64::saturating_add);
        states.truncate(rows);
        Ok(RankedStates {
            states,
            state_count,
            total,
        })
    }

    /// Returns the rows for people.
    pub fn as_text(&self) -> String {
        let head = Sentence::new("top.states")
            .with("shown", grouped(self.states.len() as u64))
            .with("all", grouped(self.state_count as u64))
            .with("bytes", byte_size(self.total));
        let mut columns = Columns::new(&[
            Column::Number("head.total"),
            Column::Number("head.percent"),
            Column::Number("head.in_use"),
            Column::Number("head.garbage"),
            Column::Number("head.objects"),
            Column::Word("head.state"),
            Column::Text("head.largest_group"),
            Column::Text("head.file"),
        ]);
        for RankedState { file, state } in &self.states {
            let share = state.total as f64 / self.total.max(1) as f64;
            let largest = state
                .largest
                .as_ref()
                .map(|group| format!("{}, {}", look::name(&group.name), byte_size(group.retained)));
            columns.row([
                byte_size(state.total),
                format!("{:.1}", 100.0 * share),
                byte_size(state.in_use),
                state.garbage.map(byte_size).unwrap_or_default(),
                grouped(state.count),
                state.name.as_ref().unwrap_or(&state.state).clone(),
                largest.unwrap_or_default(),
                printable_path(file.as_ref()).to_string(),
            ]);
        }
        format!("{}\n\n{}", look::sentence(&head), columns.text())
    }
}
