//! `luasnap top`: what holds the memory.

use crate::exit_code::OF_READERS;
use crate::output::{print, print_json};
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use crate::table::{Column, Columns};
use anyhow::Result;
use clap::{Args, ValueEnum};
use luasnap_format::{GroupRow, byte_size, grouped, printable_path};
use luasnap_heap::{Census, GroupOrder};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Say what holds the memory
///
/// Groups of objects: tables by their class, functions by where they are defined, strings by their
/// owner, all others by the path that holds them. `retained` is what would be freed if all members of
/// a group went, with what they alone hold, so the same bytes may count for several groups; `size` is
/// what the members have themselves. The registry and the table of globals are not listed: they hold
/// all the others.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Top {
    /// The snapshot's file
    file: PathBuf,

    /// What comes first
    #[arg(long, value_enum, default_value_t = By::Retained)]
    by: By,

    /// How many groups to list
    #[arg(short = 'n', long = "rows", default_value_t = 20)]
    rows: usize,

    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    /// What holds most in all
    Retained,
    /// What is itself largest
    Size,
    /// What is there most often
    Count,
    /// The classes alone, by what they hold
    Class,
}

impl By {
    fn order(self) -> GroupOrder {
        match self {
            By::Retained => GroupOrder::Retained,
            By::Size => GroupOrder::Shallow,
            By::Count => GroupOrder::Count,
            By::Class => GroupOrder::Class,
        }
    }
}

impl Top {
    /// Does it.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(4);
        let file = SnapshotFile::open(&self.file, &progress)?;
        progress.step("finding what holds what", || {
            file.snapshot.dominators().map(drop)
        })?;
        progress.step("grouping", || file.snapshot.groups().map(drop))?;
        let rows = progress.step("measuring groups", || {
            luasnap_format::top(&file.snapshot, self.by.order(), self.rows)
        })?;
        let live = Census::new(&file.snapshot)?.live;
        let all = live.bytes;
        let groups = file.snapshot.groups()?.groups().len();
        drop(progress);
        match self.json {
            true => print_json(&json!({
                "file": file.path.display().to_string(),
                "size": all,
                "count": live.count,
                "groups": rows.iter().map(|row| as_json(row, all)).collect::<Vec<_>>(),
                "group_count": groups,
            }))?,
            false => {
                let head = format!(
                    "{}: {} in {} objects; {} of {} groups:",
                    printable_path(&file.path),
                    byte_size(all),
                    grouped(live.count),
                    grouped(rows.len() as u64),
                    grouped(groups as u64),
                );
                print(format!("{head}\n\n{}", as_text(&rows, all)))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn as_text(rows: &[GroupRow], all: u64) -> String {
    let is_narrow = Columns::are_narrow();
    let mut names = vec![
        Column::Number("retained"),
        Column::Number("%"),
        Column::Number("size"),
        Column::Number("count"),
        Column::Word("type"),
        Column::Text("group"),
    ];
    if !is_narrow {
        names.push(Column::Text("for example"));
    }
    let mut columns = Columns::new(&names);
    for row in rows {
        let (name, example) = (row.name.clone(), row.example.clone());
        let last = match (example == name, is_narrow) {
            (true, _) => [name, String::new()],
            (false, true) => [format!("{name}\ne.g. {example}"), String::new()],
            (false, false) => [name, example],
        };
        let first = [
            byte_size(row.retained),
            percent(row.retained, all),
            byte_size(row.shallow),
            grouped(row.count),
            row.kind.type_name().to_owned(),
        ];
        columns.row(first.into_iter().chain(last));
    }
    columns.text()
}

/// The part of the whole, in percent.
pub fn percent(part: u64, whole: u64) -> String {
    format!("{:.1}", 100.0 * part as f64 / whole.max(1) as f64)
}

/// A group for programs.
fn as_json(row: &GroupRow, all: u64) -> Value {
    json!({
        "fingerprint": row.fingerprint,
        "type": row.kind.type_name(),
        "name": row.name,
        "count": row.count,
        "size": row.shallow,
        "retained": row.retained,
        "share": row.retained as f64 / all.max(1) as f64,
        "example": row.example,
    })
}
