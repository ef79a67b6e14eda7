//! `luasnap top`: the groups that retain most, and the owners that have most.

use crate::command_line::wrong_call;
use crate::derived::find_paths_and_dominators;
use crate::exit_code::OF_READERS;
use crate::failure::Result;
use crate::kept_answers::KeptAnswers;
use crate::ledger;
use crate::look;
use crate::output::{AnswerAboutFile, print, print_json};
use crate::progress::Progress;
use crate::ranked_states::RankedStates;
use crate::snapshot_file::SnapshotFile;
use crate::snapshot_folder;
use crate::table::{CellText, Column, Columns};
use clap::error::ErrorKind;
use clap::{Args, Command, ValueEnum};
use luasnap_format::{
    AnswerError, GroupRow, NewAnswers, OwnerRow, TopTable, byte_size, grouped, owner_kind_words,
    printable_path,
};
use luasnap_heap::{GroupOrder, Snapshot};
use luasnap_words::Sentence;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// List the groups of objects that retain most
///
/// Tables and userdata are grouped by class, functions by where they are defined, coroutines by what they are
/// doing, strings by their owner, all others by their path. `retained` is the retained size of a group: what would be freed if
/// all its members went. The same bytes may count for several groups. `size` is the shallow size: what the
/// members take themselves. The registry and the table of globals are not listed, since they retain all the
/// others.
///
/// `--by owner` says whose the memory is: each object belongs to the plugin, the module or the folder of source whose
/// code holds it, so the rows add up to all objects. `shared` is what several hold, `unknown` what no known code holds.
///
/// Of several files, or of a folder of them, the Lua states are ranked by the bytes that they hold, a row each: the
/// services of a node of skynet, for one, which `luasnap attach` saves together.
///
/// The head says where the process's memory is: what the system said when the snapshot was taken, what of that
/// the Lua VM holds, and what of that is in use or garbage.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Top {
    /// The snapshot file; of several, or of a folder of them, the Lua states are ranked, a row each
    #[arg(required = true, value_name = "FILE|FOLDER")]
    files: Vec<PathBuf>,

    /// Sort by, or list owners
    #[arg(long, value_enum, default_value_t = By::Retained)]
    by: By,

    /// List this many rows
    #[arg(short = 'n', long = "rows", default_value_t = 20)]
    rows: usize,

    /// Write JSON for programs
    #[arg(long)]
    json: bool,

    /// Neither read nor keep answers in the file
    #[arg(long)]
    no_cache: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum By {
    /// Retained size
    Retained,
    /// Shallow size
    Size,
    /// Number of objects
    Count,
    /// Retained size, classes only
    Class,
    /// Shallow size of what each plugin, module or folder of source has
    Owner,
}

impl By {
    /// Returns the order of groups; `None` if it is no groups that are asked for.
    fn order(self) -> Option<GroupOrder> {
        match self {
            By::Retained => Some(GroupOrder::Retained),
            By::Size => Some(GroupOrder::Shallow),
            By::Count => Some(GroupOrder::Count),
            By::Class => Some(GroupOrder::Class),
            By::Owner => None,
        }
    }
}

impl Top {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let file = match &self.files[..] {
            [folder] if folder.is_dir() => {
                let paths = snapshot_folder::paths_in(folder)?;
                if paths.is_empty() {
                    let folder = printable_path(folder).to_string();
                    return Err(Sentence::new("folder.empty").with("folder", folder).into());
                }
                return self.states(&paths);
            }
            [file] => file,
            several => return self.states(several),
        };
        match self.by.order() {
            Some(order) => self.groups(file, order),
            None => self.owners(file),
        }
    }

    fn states(&self, paths: &[PathBuf]) -> Result<ExitCode> {
        if !matches!(self.by, By::Retained) {
            let command = Top::augment_args(Command::new("top"));
            let one_file = Sentence::new("top.by_one_file");
            wrong_call(command, ErrorKind::ArgumentConflict, &one_file);
        }
        let states = RankedStates::find(paths, self.rows)?;
        match self.json {
            true => print_json(&states)?,
            false => print(states.as_text())?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn owners(&self, path: &Path) -> Result<ExitCode> {
        let progress = Progress::new(2);
        let file = SnapshotFile::open(path, &progress)?;
        let top = progress.step(Sentence::new("progress.owners"), || {
            luasnap_format::top_owners(&file.snapshot, self.rows)
        })?;
        drop(progress);
        if self.json {
            print_json(&AnswerAboutFile::new(&file.path, &top))?;
            return Ok(ExitCode::SUCCESS);
        }
        let rows = rows_of("top.owners", top.owners.len(), top.owner_count);
        let head = head(&file.path, (top.size, top.count), rows);
        let ledger = ledger::as_text(&top.ledger);
        print(format!("{head}\n{ledger}\n{}", owners_text(&top.owners)))?;
        Ok(ExitCode::SUCCESS)
    }

    fn groups(&self, path: &Path, order: GroupOrder) -> Result<ExitCode> {
        let kept = KeptAnswers::of(path, !self.no_cache);
        if let Some(top) = kept.top(order, self.rows) {
            self.print(path, &top)?;
            return Ok(ExitCode::SUCCESS);
        }
        let progress = Progress::new(1 + STEPS);
        let file = SnapshotFile::open(path, &progress)?;
        let found = find(&file.snapshot, order, self.rows, &kept, &progress)?;
        drop(progress);
        self.print(path, &found.top)?;
        kept.keep(&NewAnswers {
            found: Some(&file.snapshot),
            ..found.new_answers()
        });
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, path: &Path, top: &luasnap_format::Top) -> Result<()> {
        match self.json {
            true => print_json(&AnswerAboutFile::new(path, top)),
            false => print(as_text(path, top)),
        }
    }
}

/// The steps of [`find`].
pub const STEPS: usize = 3;

/// The first groups of a snapshot, and what was found for further questions.
pub struct Found {
    /// The groups.
    pub top: luasnap_format::Top,
    table: Option<TopTable>,
}

impl Found {
    /// Returns what can be kept.
    pub fn new_answers(&self) -> NewAnswers<'_> {
        NewAnswers {
            top: self.table.as_ref(),
            ..NewAnswers::default()
        }
    }
}

/// Finds the first groups of a snapshot, in steps of work; and more, if that can be kept.
pub fn find(
    snapshot: &Snapshot,
    order: GroupOrder,
    rows: usize,
    kept: &KeptAnswers,
    progress: &Progress,
) -> Result<Found> {
    progress.step(Sentence::new("progress.dominators"), || {
        find_paths_and_dominators(snapshot)
    })?;
    progress.step(Sentence::new("progress.grouping"), || {
        snapshot.groups().map(drop)
    })?;
    let found = progress.step(Sentence::new("progress.measuring_groups"), || {
        if kept.can_keep() && rows <= TopTable::STORED.1 {
            let table = TopTable::new(snapshot, TopTable::STORED)?;
            if let Some(top) = table.answer(order, rows) {
                let table = Some(table);
                return Ok::<_, AnswerError>(Found { top, table });
            }
        }
        let top = luasnap_format::top(snapshot, order, rows)?;
        Ok(Found { top, table: None })
    })?;
    Ok(found)
}

/// Returns the groups of a file's snapshot as text: the verdict, where the memory is, and the rows.
pub fn as_text(path: &Path, top: &luasnap_format::Top) -> String {
    let rows = rows_of("top.groups", top.groups.len(), top.group_count);
    let head = head(path, (top.size, top.count), rows);
    let ledger = ledger::as_text(&top.ledger);
    let verdict = top.verdict.as_ref().map(look::sentence);
    let verdict = verdict.map(|verdict| verdict + "\n\n").unwrap_or_default();
    format!("{verdict}{head}\n{ledger}\n{}", groups_text(&top.groups))
}

/// Returns how many rows of all are listed.
fn rows_of(code: &'static str, shown: usize, all: usize) -> Sentence {
    Sentence::new(code)
        .with("shown", grouped(shown as u64))
        .with("all", grouped(all as u64))
}

/// Says of which file the rows are, how many bytes and objects that has, and which rows these are.
fn head(path: &Path, (bytes, objects): (u64, u64), rows: Sentence) -> String {
    let head = Sentence::new("top.head")
        .with("file", printable_path(path).to_string())
        .with("bytes", byte_size(bytes))
        .with("objects", grouped(objects))
        .with("rows", rows);
    look::sentence(&head)
}

fn groups_text(rows: &[GroupRow]) -> String {
    let (is_narrow, has_bars) = (Columns::are_narrow(), Columns::have_bars());
    let mut names = vec![
        Column::Number("head.retained"),
        Column::Number("head.percent"),
    ];
    if has_bars {
        names.push(Column::Word("head.of_all"));
    }
    names.extend([
        Column::Number("head.size"),
        Column::Number("head.count"),
        Column::Word("head.type"),
        Column::Text("head.group"),
    ]);
    if !is_narrow {
        names.push(Column::Text("head.for_example"));
    }
    let mut columns = Columns::new(&names);
    for row in rows {
        let (name, example) = (look::name(&row.name), look::name(&row.example));
        let is = look::is(row.example_is.as_ref());
        let last = match (example == name, is_narrow) {
            (true, _) => [name + &is, String::new()],
            (false, true) => {
                let example = look::example(&example, &is);
                [format!("{name}\n{example}"), String::new()]
            }
            (false, false) => [name, example + &is],
        };
        let mut cells: Vec<CellText> = vec![
            byte_size(row.retained).into(),
            format!("{:.1}", 100.0 * row.share).into(),
        ];
        if has_bars {
            cells.push(CellText::bar(row.share));
        }
        cells.extend([
            byte_size(row.shallow).into(),
            grouped(row.count).into(),
            CellText::kind(row.kind),
        ]);
        cells.extend(last.map(CellText::from));
        columns.row(cells);
    }
    columns.text()
}

fn owners_text(rows: &[OwnerRow]) -> String {
    let mut columns = Columns::new(&[
        Column::Number("head.size"),
        Column::Number("head.percent"),
        Column::Number("head.count"),
        Column::Number("head.files"),
        Column::Word("head.kind"),
        Column::Text("head.owner"),
        Column::Text("head.for_example"),
    ]);
    for row in rows {
        let example = row.example.as_ref().map(look::name);
        columns.row([
            byte_size(row.size),
            format!("{:.1}", 100.0 * row.share),
            grouped(row.count),
            match row.files {
                0 => String::new(),
                files => grouped(files),
            },
            look::sentence(&owner_kind_words(row.kind)),
            name_and_sharers(row),
            example.unwrap_or_default(),
        ]);
    }
    columns.text()
}

/// The most sharers that are named below `shared`.
const SHARERS: usize = 3;

/// Returns the name of an owner; of what is shared also who shares most.
fn name_and_sharers(row: &OwnerRow) -> String {
    let mut text = look::sentence(&row.words);
    for sharers in row.sharers.iter().take(SHARERS) {
        text += &format!(
            "\n{} {}",
            byte_size(sharers.size),
            look::sentence(&sharers.words)
        );
    }
    text
}
