//! The verb: what it is called with, and the loop of keys and pictures.

use crate::about::about_file;
use crate::exit_code::OF_READERS;
use crate::failure::{Failure, Result};
use crate::look;
use crate::output::{AnswerAboutFile, print_json};
use crate::view::canvas::Canvas;
use crate::view::drawing::draw::draw;
use crate::view::drawing::palette::Palette;
use crate::view::keys;
use crate::view::state::{State, Then};
use crate::view::subject::Subject;
use clap::Args;
use crossterm::event::{self, Event};
use luasnap_format::{DominatorLevel, DominatorRow, RowTarget, resolve};
use luasnap_heap::NodeId;
use luasnap_words::{Sentence, Spoken};
use serde::Serialize;
use std::ffi::OsString;
use std::io::{IsTerminal, stdin, stdout};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Look through a heap in the terminal, largest first
///
/// Shows the dominator tree: each object with what it retains, the largest first, as `ncdu` shows folders. Enter goes
/// into an object, Left goes up. `g` lists groups, `s` suspects, `p` the path to an object, `r` its retainers; `/`
/// searches for a name; `?` shows all keys.
///
/// Of several files, taken one after the other, shows the last; `d` shows what came since the first.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct View {
    /// The snapshot files, in the order in which they were taken
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Begin at an object: an address (0x55d0), a path (_G.server.sessions) or its last part
    #[arg(long, value_name = "WHAT")]
    at: Option<OsString>,

    /// Write the rows of one level as JSON, instead of showing them
    #[arg(long)]
    json: bool,

    /// With --json, list this many rows
    #[arg(short = 'n', long = "rows", default_value_t = 20)]
    rows: usize,
}

/// How long the loop waits for a key while something is under way, and otherwise: then only signals may come.
const BUSY: Duration = Duration::from_millis(15);
const IDLE: Duration = Duration::from_millis(200);

impl View {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let is_terminal = stdin().is_terminal() && stdout().is_terminal();
        if !(self.json || is_terminal) {
            return Err(Failure::with_code(
                &Sentence::new("view.no_terminal"),
                WRONGLY_CALLED,
            ));
        }
        let subject = Arc::new(Subject::load(&self.files)?);
        let at = self.start(&subject)?;
        if self.json {
            let answer = Level::new(&subject, at, self.rows)?;
            print_json(&AnswerAboutFile::new(self.newest(), &answer))?;
            return Ok(ExitCode::SUCCESS);
        }
        let palette = Palette {
            has_colors: look::has_color(),
        };
        // Otherwise the variable has a say in it, too.
        crossterm::style::force_color_output(palette.has_colors);
        let mut state = State::new(subject, at)?;
        let mut terminal = Canvas::take().map_err(no_terminal)?;
        let done = run(&mut state, &mut terminal, palette);
        drop(terminal);
        done?;
        Ok(ExitCode::SUCCESS)
    }

    fn newest(&self) -> &PathBuf {
        &self.files[self.files.len() - 1]
    }

    /// Returns the object at which to begin.
    fn start(&self, subject: &Subject) -> Result<Option<NodeId>> {
        let Some(word) = &self.at else {
            return Ok(None);
        };
        let snapshot = subject.snapshot();
        let nodes = resolve(snapshot, word.as_bytes())
            .map_err(|error| Failure::from(error).about(about_file("fail.in_file", self.newest())))?
            .nodes(snapshot)?;
        Ok(nodes.first().copied())
    }
}

/// The exit code of a wrong call.
const WRONGLY_CALLED: u8 = 2;

fn no_terminal(error: std::io::Error) -> Failure {
    Sentence::new("terminal.cannot_use")
        .with("reason", error.sentence())
        .into()
}

/// Shows pictures and takes keys until the user quits.
fn run(state: &mut State, terminal: &mut Canvas, palette: Palette) -> Result<()> {
    let mut is_stale = true;
    loop {
        is_stale |= terminal.heed_signals().map_err(no_terminal)?;
        is_stale |= state.take_news()?;
        if is_stale {
            show(state, terminal, palette)?;
            is_stale = false;
        }
        let wait = if state.is_busy() { BUSY } else { IDLE };
        // What was typed while a key was at work comes at once.
        let mut next = event::poll(wait).map_err(no_terminal)?;
        while next {
            is_stale = true;
            match take(state, event::read().map_err(no_terminal)?)? {
                Then::GoOn => {}
                Then::Redraw => terminal.draw_anew().map_err(no_terminal)?,
                Then::Suspend => terminal.suspend().map_err(no_terminal)?,
                Then::Quit => return Ok(()),
            }
            next = event::poll(Duration::ZERO).map_err(no_terminal)?;
        }
    }
}

/// Does what an event means.
fn take(state: &mut State, event: Event) -> Result<Then> {
    let Event::Key(key) = event else {
        return Ok(Then::GoOn);
    };
    if state.is_typing() {
        if let Some(typed) = keys::typed(key) {
            state.type_key(typed)?;
        }
        return Ok(Then::GoOn);
    }
    match keys::command(key) {
        Some(command) => state.act(command),
        None => Ok(Then::GoOn),
    }
}

fn show(state: &mut State, terminal: &mut Canvas, palette: Palette) -> Result<()> {
    let (columns, lines) = terminal.size().map_err(no_terminal)?;
    let picture = state.picture(columns, lines)?;
    let drawn = terminal.draw(|area, cells| draw(&picture, palette, area, cells));
    drawn.map_err(no_terminal)
}

/// A level of the dominator tree, for programs.
#[derive(Serialize)]
struct Level {
    /// The object above the rows; nothing for the top of the tree.
    object: Option<DominatorRow>,
    row_count: usize,
    rows: Vec<DominatorRow>,
}

impl Level {
    fn new(subject: &Subject, at: Option<NodeId>, most: usize) -> Result<Level> {
        let tree = &subject.rows;
        let level = match at {
            Some(node) => tree.below(node, RowTarget::Object(node))?,
            None => Some(DominatorLevel::TOP),
        };
        let object = at.map(|node| tree.object(node)).transpose()?;
        let Some(level) = level else {
            return Ok(Level {
                object,
                row_count: 0,
                rows: Vec::new(),
            });
        };
        let rows = tree.level(level)?;
        let first = (0..most).map_while(|at| rows.by_retained(at));
        Ok(Level {
            object,
            row_count: rows.len(),
            rows: first
                .map(|row| tree.row(&rows, row))
                .collect::<Result<_, _>>()?,
        })
    }
}
