//! `luasnap path`: what keeps an object or a group alive.

use crate::about::about_file;
use crate::derived::find_paths_and_dominators;
use crate::exit_code::OF_READERS;
use crate::failure::{Failure, Result};
use crate::kept_answers::KeptAnswers;
use crate::look;
use crate::output::{print, print_json};
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use clap::Args;
use luasnap_format::{
    AnswerError, CoroutineRow, GroupTitles, Query, Retainers, RetainersOptions, byte_size,
    count_of, grouped, object_name, resolve, resolve_object, retainers_by_titles,
};
use luasnap_heap::{Kind, NodeId, Snapshot};
use luasnap_words::{Argument, Sentence, count};
use serde::Serialize;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what keeps an object or a group alive
///
/// Shows its shallow size and its retained size, the shortest path from a GC root, its retainers and its
/// dominators. For a single object also paths that share nothing: each of them has to be cut to free it.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Path {
    /// The snapshot file
    file: PathBuf,

    /// An address (0x55d0), a path (_G.server.sessions), its last part (sessions), or the name or fingerprint
    /// of a group, as `luasnap top` and `luasnap top --json` list them
    what: OsString,

    /// List this many retainers
    #[arg(long, default_value_t = 10)]
    retainers: usize,

    /// List this many paths that share nothing
    #[arg(long, default_value_t = 5)]
    paths: usize,

    /// Write JSON for programs
    #[arg(long)]
    json: bool,

    /// Neither read nor keep in the file what was found on the way
    #[arg(long)]
    no_cache: bool,
}

impl Path {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(3);
        let kept = KeptAnswers::of(&self.file, !self.no_cache);
        let file = SnapshotFile::open(&self.file, &progress)?;
        let snapshot = &file.snapshot;
        let kept_titles = kept.found(snapshot);
        let titles: &dyn GroupTitles = match &kept_titles {
            Some(titles) => titles,
            None => snapshot,
        };
        let what = self.what.as_bytes();
        let target = progress
            .step(Sentence::new("progress.finding"), || {
                // Of a single object, what is kept is enough. All else takes these.
                if kept_titles.is_some()
                    && let Some(node) = resolve_object(snapshot, what)?
                {
                    return Ok(Query::Object(node));
                }
                find_paths_and_dominators(snapshot).map_err(AnswerError::from)?;
                resolve(snapshot, what)
            })
            .map_err(|error| Failure::from(error).about(about_file("fail.in_file", &file.path)))?;
        let options = RetainersOptions {
            retainers: self.retainers,
            paths: self.paths,
        };
        let nodes = target.nodes(snapshot)?;
        let held = progress.step(Sentence::new("progress.retainers"), || {
            retainers_by_titles(snapshot, titles, &nodes, options)
        })?;
        drop(progress);
        let title = title(snapshot, titles, &target, &nodes)?;
        let is_group = !matches!(target, Query::Object(_));
        match self.json {
            true => print_json(&Answer {
                what: &title,
                held: &held,
            })?,
            false => print(as_text(&title, is_group, &held)?)?,
        }
        if kept_titles.is_none() {
            kept.keep_found(snapshot);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns what it is; of an object also its group.
fn title(
    snapshot: &Snapshot,
    titles: &dyn GroupTitles,
    target: &Query,
    nodes: &[NodeId],
) -> Result<String> {
    let heap = snapshot.everything();
    Ok(match (target, nodes) {
        (Query::Object(node), _) => {
            let name = object_name(heap, *node);
            match titles.title(*node)? {
                Some(group) if group.count > 1 => format!("{name} ({})", group.name),
                _ => name,
            }
        }
        (Query::Group(_) | Query::Objects(_), [first, ..]) => {
            let kind = heap.kind(*first).type_name();
            let is_first = |node: &NodeId| heap.kind(*node).type_name() == kind;
            let sort = if nodes.iter().all(is_first) {
                kind
            } else {
                "object"
            };
            count_of(nodes.len() as u64, sort)
        }
        (Query::Group(_) | Query::Objects(_), []) => "nothing".to_owned(),
    })
}

fn as_text(title: &str, is_group: bool, held: &Retainers) -> Result<String> {
    let mut text = String::new();
    let head = Sentence::new("path.head")
        .with("what", title)
        .with("size", byte_size(held.size))
        .with("retained", byte_size(held.retained))
        .with("objects", count(held.retained_count, "object"));
    writeln!(text, "{}", look::sentence(&head))?;
    let object = held.object.as_ref();
    // What a coroutine is doing is said below.
    let object = object.filter(|_| held.coroutine.is_none());
    if let (Some(object), false) = (object, is_group) {
        let code = match object.kind {
            Kind::Upvalue => "path.it_is_an",
            _ => "path.it_is_a",
        };
        writeln!(text, "{}", said(code, "what", object.words.clone()))?;
    }
    match (&held.path, is_group) {
        (Some(path), true) => {
            let is = object.map(|object| remark(&object.words));
            let example = Sentence::new("path.example")
                .with("path", look::name(path))
                .with("is", is);
            writeln!(text, "{}", look::sentence(&example))?;
        }
        (Some(path), false) => {
            let path = said("path.shortest", "path", look::name(path));
            writeln!(text, "{path}")?;
        }
        (None, _) => writeln!(text, "{}", look::words("path.garbage"))?,
    }
    if let Some(doing) = &held.coroutine {
        let code = match is_group {
            true => "path.that_one_is",
            false => "path.it_is",
        };
        writeln!(text, "{}", said(code, "doing", doing.words.clone()))?;
        if let Some(error) = &doing.error {
            writeln!(text, "{}", said("path.error", "error", error.to_string()))?;
        }
    }
    if !held.refers_to_itself.is_empty() {
        let steps = held.refers_to_itself.iter();
        let steps: Vec<String> = steps.map(|step| format!("`{step}`")).collect();
        let steps = steps.join(&look::words("text.comma"));
        writeln!(text, "{}", said("path.itself", "steps", steps))?;
    }
    if !held.retainers.is_empty() {
        let retainers = count(held.retainer_count as u64, "retainer");
        let retainers = Sentence::new("path.retainers").with("retainers", retainers);
        writeln!(text, "\n{}", look::sentence(&retainers))?;
        for retainer in &held.retainers {
            match retainer.references {
                1 => write!(text, "  {}", look::name(&retainer.path))?,
                many => write!(
                    text,
                    "  {}{}",
                    look::name(&retainer.retainer),
                    said("path.references", "count", grouped(many.into()))
                )?,
            }
            let is = is(&retainer.coroutine, &retainer.what);
            writeln!(text, "{is}")?;
        }
        let more = held.retainer_count - held.retainers.len();
        if more > 0 {
            let more = said("path.more", "count", grouped(more as u64));
            writeln!(text, "  {more}")?;
        }
    }
    if !held.keepers.is_empty() {
        let head = match is_group {
            true => "path.dominators_of_all",
            false => "path.dominators",
        };
        writeln!(text, "\n{}", look::words(head))?;
        for keeper in &held.keepers {
            let retained = said("path.retained", "size", byte_size(keeper.retained));
            let is = is(&keeper.coroutine, &keeper.what);
            let path = look::name(&keeper.path);
            writeln!(text, "  {path}{retained}{is}")?;
        }
    }
    for row in &held.weakness {
        let table = look::path_and_what(&row.path, row.what.as_ref());
        let weak = Sentence::new("path.weak").with("table", table);
        let weak = weak.with("words", row.words.clone());
        writeln!(text, "\n{}", look::sentence(&weak))?;
    }
    if held.paths.len() > 1 {
        let count = held.paths.len();
        let head = said("path.apart", "count", count.to_string());
        writeln!(text, "\n{head}")?;
        for path in &held.paths {
            writeln!(text, "  {}", look::name(path))?;
        }
    }
    Ok(text)
}

/// Returns what an object is or is doing, to be written behind its path; empty if the path says it.
fn is(coroutine: &Option<CoroutineRow>, what: &Option<Sentence>) -> String {
    let words = coroutine.as_ref().map(|doing| &doing.words);
    match words.or(what.as_ref()) {
        Some(words) => remark(words),
        None => String::new(),
    }
}

/// Returns a remark, to be written behind a path.
fn remark(words: &Sentence) -> String {
    said("path.remark", "what", words.clone())
}

/// Returns the sentence with one argument.
fn said(code: &'static str, name: &'static str, value: impl Into<Argument>) -> String {
    look::sentence(&Sentence::new(code).with(name, value))
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    what: &'a str,
    #[serde(flatten)]
    held: &'a Retainers,
}
