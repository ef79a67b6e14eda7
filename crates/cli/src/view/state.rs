//! The state of the view: which screens are open, and what a key does to them.

use crate::failure::Result;
use crate::view::drawing::regions::Regions;
use crate::view::keys::{Command, Typed};
use crate::view::picture::{Cells, Heads, Hint, Picture};
use crate::view::screens::groups::Groups;
use crate::view::screens::path::Path;
use crate::view::screens::retainers::Retainers;
use crate::view::screens::screen::{Context, Done, Screen};
use crate::view::screens::search::Search;
use crate::view::screens::suspects::Suspects;
use crate::view::screens::tree::Tree;
use crate::view::subject::{Subject, Target};
use crate::view::words::{self, Words};
use luasnap_heap::NodeId;
use std::sync::Arc;

/// The most screens that are kept to go back to.
const MOST_SCREENS: usize = 100;
/// The most characters of what is searched for.
const MOST_TYPED: usize = 200;

/// The state of the view.
pub struct State {
    subject: Arc<Subject>,
    /// The first one is the tree, the last one is shown.
    screens: Vec<Box<dyn Screen>>,
    /// What is being typed.
    typed: Option<String>,
    is_help: bool,
    difference: bool,
    /// What came of the last key.
    said: Option<String>,
    /// The number of rows that fit.
    page: usize,
}

/// What the terminal is to do after a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    GoOn,
    Redraw,
    Suspend,
    Quit,
}

impl State {
    /// Begins with the dominator tree: at an object, or at its top.
    pub fn new(subject: Arc<Subject>, at: Option<NodeId>) -> Result<State> {
        let tree = match at {
            Some(node) => Tree::at(&subject, node, true)?,
            None => Tree::new(&subject)?,
        };
        Ok(State {
            screens: vec![Box::new(tree)],
            subject,
            typed: None,
            is_help: false,
            difference: false,
            said: None,
            page: 1,
        })
    }

    /// Whether a line is being typed, so that keys are letters.
    pub fn is_typing(&self) -> bool {
        self.typed.is_some()
    }

    fn context(&self) -> Context<'_> {
        Context {
            subject: &self.subject,
            difference: self.difference,
        }
    }

    /// Calls `act` with the screen that is shown.
    fn with_screen<R>(
        &mut self,
        act: impl FnOnce(&mut dyn Screen, Context<'_>) -> Result<R>,
    ) -> Result<R> {
        let context = Context {
            subject: &self.subject,
            difference: self.difference,
        };
        let last = self.screens.len() - 1;
        act(self.screens[last].as_mut(), context)
    }

    fn show(&mut self, screen: Box<dyn Screen>) {
        // The tree stays, and the newest ones.
        if self.screens.len() == MOST_SCREENS {
            self.screens.remove(1);
        }
        self.screens.push(screen);
    }

    /// Says the words with a code.
    fn say(&mut self, code: &'static str) {
        self.said = Some(self.subject.words.fixed(code));
    }

    /// Does what a command means, and returns what the terminal is to do.
    ///
    /// # Errors
    ///
    /// If memory runs out, or no thread can be started.
    pub fn act(&mut self, command: Command) -> Result<Then> {
        self.said = None;
        match command {
            Command::Quit if !self.is_help => return Ok(Then::Quit),
            Command::Suspend => return Ok(Then::Suspend),
            Command::Redraw => return Ok(Then::Redraw),
            _ if self.is_help => self.is_help = false,
            Command::Help => self.is_help = true,
            Command::Move(by) => {
                let page = self.page;
                self.with_screen(|screen, _| {
                    let len = screen.len();
                    screen.cursor().go(by, len, page);
                    Ok(())
                })?;
            }
            Command::Back => self.back(),
            Command::Search => self.typed = Some(String::new()),
            Command::Groups => self.show(Box::new(Groups::new(&self.subject))),
            Command::Suspects => self.show(Box::new(Suspects::new(&self.subject))),
            Command::Path => {
                self.ask(|context, target| Ok(Box::new(Path::to(context, target)?)))?
            }
            Command::Retainers => {
                self.ask(|context, target| Ok(Box::new(Retainers::of(context, target)?)))?;
            }
            Command::Difference if !self.subject.rows.has_growth() => {
                self.say(match self.subject.growth {
                    Some(_) => "view.other_process",
                    None => "view.one_file",
                });
            }
            Command::Difference => {
                self.difference = !self.difference;
                self.say(words::difference(self.difference));
                self.pass_on(command)?;
            }
            Command::Open | Command::Up | Command::Order => self.pass_on(command)?,
            Command::Quit => {}
        }
        Ok(Then::GoOn)
    }

    /// Lets the screen do what the command means there.
    fn pass_on(&mut self, command: Command) -> Result<()> {
        match self.with_screen(|screen, context| screen.command(context, command))? {
            Done::It => {}
            Done::Say(words) => self.said = Some(words),
            Done::Show(screen) => self.show(screen),
            Done::Nothing => match command {
                Command::Open => self.say("view.no_object"),
                Command::Up => self.back(),
                Command::Order => self.say("view.one_order"),
                _ => {}
            },
        }
        Ok(())
    }

    /// Shows a screen about what the selected row is about.
    fn ask(
        &mut self,
        screen: impl FnOnce(Context<'_>, Target) -> Result<Box<dyn Screen>>,
    ) -> Result<()> {
        let target = self.with_screen(|screen, context| screen.target(context))?;
        match target {
            Some(target) => {
                let screen = screen(self.context(), target)?;
                self.show(screen);
            }
            None => self.say("view.no_object"),
        }
        Ok(())
    }

    /// Cancels what is under way, or goes back to where one was.
    fn back(&mut self) {
        let last = self.screens.len() - 1;
        if self.screens[last].cancel() {
            return self.say("view.cancelled");
        }
        if last > 0 {
            self.screens.pop();
        }
    }

    /// Takes a key of a line that is typed.
    ///
    /// # Errors
    ///
    /// If no thread can be started for the search.
    pub fn type_key(&mut self, key: Typed) -> Result<()> {
        let Some(line) = &mut self.typed else {
            return Ok(());
        };
        match key {
            Typed::Character(character) if line.chars().count() < MOST_TYPED => {
                line.push(character);
            }
            Typed::Character(_) => {}
            Typed::Erase if line.is_empty() => self.typed = None,
            Typed::Erase => {
                line.pop();
            }
            Typed::EraseAll => line.clear(),
            Typed::GiveUp => self.typed = None,
            Typed::Finish => {
                let word = self.typed.take().unwrap_or_default();
                if !word.is_empty() {
                    let search = Search::begin(&self.subject, &word)?;
                    self.show(Box::new(search));
                }
            }
        }
        Ok(())
    }

    /// Takes what was found meanwhile. Returns whether the screen has changed.
    ///
    /// # Errors
    ///
    /// If what was under way failed.
    pub fn take_news(&mut self) -> Result<bool> {
        let last = self.screens.len() - 1;
        let mut is_new = false;
        for (at, screen) in self.screens.iter_mut().enumerate() {
            while screen.take_news()? {
                is_new |= at == last;
            }
        }
        Ok(is_new)
    }

    /// Whether something is under way on the screen that is shown.
    pub fn is_busy(&self) -> bool {
        self.screens.last().is_some_and(|screen| screen.is_busy())
    }

    /// Returns what is on a screen of this many columns and lines.
    ///
    /// # Errors
    ///
    /// If memory runs out.
    pub fn picture(&mut self, width: u16, height: u16) -> Result<Picture> {
        let words = self.subject.words;
        let mut picture = match self.is_help {
            true => help(words),
            false => self.with_screen(|screen, context| {
                Ok(Picture {
                    crumbs: screen.crumbs(context)?,
                    notes: screen.notes(context),
                    heads: screen.heads(context).named(|code| words.fixed(code)),
                    keys: hints(words, screen.keys()),
                    status: screen.status(context),
                    ..Picture::default()
                })
            })?,
        };
        picture.title = self.subject.title.clone();
        picture.status = self.said.clone().or(picture.status);
        if let Some(line) = &self.typed {
            picture.prompt = Some(luasnap_format::printable(line.as_bytes()));
            picture.keys = hints(words, words::KEYS_OF_PROMPT);
        }
        if !self.subject.rows.has_growth() {
            picture.keys.retain(|key| key.0 != "d");
        }
        let regions = Regions::of(&picture, width, height);
        self.page = regions.rows.into();
        if self.is_help {
            picture.rows.truncate(self.page);
            return Ok(picture);
        }
        let page = self.page;
        self.with_screen(|screen, context| {
            let len = screen.len();
            let shown = screen.cursor().shown(len, page);
            let at = screen.cursor().at;
            picture.selected = at.checked_sub(shown.start).filter(|_| len > 0);
            picture.place = (if len > 0 { at + 1 } else { 0 }, len);
            picture.rows = screen.rows(context, shown)?;
            Ok(())
        })?;
        Ok(picture)
    }
}

/// Returns keys and what they do.
fn hints(words: Words, keys: &[Hint]) -> Vec<(String, String)> {
    let hint = |(key, code): &Hint| ((*key).to_owned(), words.fixed(code));
    keys.iter().map(hint).collect()
}

/// Returns the explanation of keys.
fn help(words: Words) -> Picture {
    let row = |(name, what)| Cells {
        name,
        what,
        ..Cells::default()
    };
    let mut rows: Vec<Cells> = hints(words, words::ALL_KEYS).into_iter().map(row).collect();
    rows.push(Cells::default());
    rows.extend(
        words::MEANINGS
            .iter()
            .map(|code| Cells::text(words.fixed(code))),
    );
    let mut keys = hints(words, &[words::SELECT]);
    keys.push((words.fixed(words::OTHER_KEY), words.fixed("key.back")));
    Picture {
        crumbs: vec![words.fixed("view.keys")],
        heads: Heads::default(),
        rows,
        keys,
        is_help: true,
        ..Picture::default()
    }
}
