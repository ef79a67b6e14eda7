//! All words of the view, in the user's language.

use crate::snapshot_file::SnapshotFile;
use crate::view::picture::{Heads, Hint};
use luasnap_format::{byte_size, grouped, printable_path};
use luasnap_heap::Tally;
use luasnap_words::{Argument, Language, Sentence, count};

/// Stands for what is left out of where one is.
pub const GAP: &str = "…";
/// Between the steps of where one is.
pub const STEP: &str = " › ";
/// What a row shows that is not known yet.
pub const WAITING: &str = "…";

/// A number of bytes that may be more.
pub fn at_least(bytes: u64) -> String {
    format!("≥ {}", byte_size(bytes))
}

/// A change of a number.
pub fn change(by: i64) -> String {
    let sign = if by < 0 { "-" } else { "+" };
    format!("{sign}{}", grouped(by.unsigned_abs()))
}

/// A change of a number of bytes.
pub fn byte_change(by: i64) -> String {
    let sign = if by < 0 { "-" } else { "+" };
    format!("{sign}{}", byte_size(by.unsigned_abs()))
}

/// The name of a row of many.
pub fn many(name: &str, count: u64) -> String {
    format!("{name} × {}", grouped(count))
}

/// What a table is, and by how many entries it grew.
pub fn grown(what: &str, entries: u32) -> String {
    format!("{what} (+{})", grouped(entries.into()))
}

/// The words in a language.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words {
    pub language: Language,
}

impl Words {
    /// Returns a sentence.
    pub fn say(self, sentence: &Sentence) -> String {
        sentence.text(self.language)
    }

    /// Returns the fixed words with a code.
    pub fn fixed(self, code: &'static str) -> String {
        self.say(&Sentence::new(code))
    }

    /// Returns the sentence with one argument.
    fn with(self, code: &'static str, name: &'static str, argument: impl Into<Argument>) -> String {
        self.say(&Sentence::new(code).with(name, argument))
    }

    /// Returns the name of a screen about something: of a path, of retainers, of a search.
    pub fn about(self, code: &'static str, what: &str) -> Vec<String> {
        vec![self.fixed(code), what.to_owned()]
    }

    /// Returns the title: the files, and how many bytes and objects the newest has.
    pub fn title(self, files: &[SnapshotFile], live: Tally) -> String {
        let [oldest, .., newest] = files else {
            return files
                .first()
                .map_or_else(String::new, |file| self.say(&title_of(file, live, None)));
        };
        let since = Sentence::new("view.since");
        let since = since.with("file", printable_path(&oldest.path).to_string());
        self.say(&title_of(newest, live, Some(since)))
    }

    /// Returns what something is, in brackets, to be written behind its name.
    pub fn is(self, what: Option<&Sentence>) -> String {
        what.map_or_else(String::new, |what| {
            self.with("text.is", "what", what.clone())
        })
    }

    /// Returns an example of a group, and what it is.
    pub fn example(self, example: &str, is: Option<&Sentence>) -> String {
        self.say(&self::example(example, self.is(is)))
    }

    /// Says what a suspect is: who holds it, and an example.
    pub fn suspect(self, held_by: Option<&Sentence>, example: &str) -> String {
        let example = self::example(example, String::new());
        self.say(&match held_by {
            Some(who) => Sentence::new("view.suspect")
                .with("who", who.clone())
                .with("example", example),
            None => example,
        })
    }

    /// Says in which order rows are.
    pub fn ordered(self, by: &'static str) -> String {
        self.with("view.ordered", "by", Sentence::new(by))
    }

    /// Says that rows are being put in order.
    pub fn ordering(self, by: &'static str, seen: usize, all: usize) -> String {
        let ordering = Sentence::new("view.ordering").with("by", Sentence::new(by));
        let ordering = ordering.with("seen", grouped(seen as u64));
        self.say(&ordering.with("all", grouped(all as u64)))
    }

    /// Says how many groups are listed.
    pub fn groups_listed(self, listed: usize, all: usize) -> String {
        let groups = Sentence::new("view.groups_listed").with("groups", count(all as u64, "group"));
        self.say(&groups.with("listed", grouped(listed as u64)))
    }

    /// The title of the shortest path to the first of so many objects.
    pub fn shortest_path(self, objects: u64) -> String {
        match objects {
            1 => self.fixed("view.shortest_path"),
            objects => self.with(
                "view.shortest_path_to_first",
                "objects",
                count(objects, "object"),
            ),
        }
    }

    /// The title of paths that share nothing.
    pub fn paths_that_share_nothing(self, count: usize) -> String {
        self.with("path.apart", "count", count.to_string())
    }

    /// Says what some objects retain.
    pub fn retains(self, what: Argument, (shallow, retained): (u64, u64), share: f64) -> String {
        self.say(
            &Sentence::new("view.retains")
                .with("what", what)
                .with("size", byte_size(shallow))
                .with("retained", byte_size(retained))
                .with("share", format!("{:.1}%", 100.0 * share)),
        )
    }

    /// Says how many retainers there are.
    pub fn retainers(self, retainers: usize, listed: usize) -> String {
        let code = match retainers == listed {
            true => "view.retainers_all",
            false => "view.retainers_listed",
        };
        let said = Sentence::new(code).with("retainers", count(retainers as u64, "retainer"));
        self.say(&said.with("listed", grouped(listed as u64)))
    }

    /// Says that a table is weak and yet entries stay.
    pub fn weak_table(self, path: &str, words: &Sentence) -> String {
        let weak = Sentence::new("path.weak").with("table", path);
        self.say(&weak.with("words", words.clone()))
    }

    /// Says what an object refers to itself by.
    pub fn refers_to_itself(self, steps: &[String]) -> String {
        let steps = steps.join(&self.fixed("text.comma"));
        self.with("path.itself", "steps", steps)
    }

    /// Says how far a search is.
    pub fn searched(self, found: usize, is_under_way: bool, is_bounded: bool) -> String {
        let code = match (is_under_way, is_bounded) {
            (true, _) => "view.searching",
            (false, true) => "view.search_ended",
            (false, false) => "view.search_found",
        };
        self.with(code, "found", grouped(found as u64))
    }
}

fn title_of(file: &SnapshotFile, live: Tally, since: Option<Sentence>) -> Sentence {
    let vm = &file.snapshot.everything().provenance().vm;
    let vm = (!vm.is_empty()).then(|| Sentence::new("view.vm").with("vm", vm.to_string()));
    Sentence::new("view.title")
        .with("file", printable_path(&file.path).to_string())
        .with("bytes", byte_size(live.bytes))
        .with("objects", count(live.count, "object"))
        .with("vm", vm)
        .with("since", since)
}

fn example(example: &str, is: String) -> Sentence {
    let sentence = Sentence::new("text.example").with("name", example);
    sentence.with("is", is)
}

/// Says whether what came is shown.
pub fn difference(is_shown: bool) -> &'static str {
    match is_shown {
        true => "view.difference_on",
        false => "view.difference_off",
    }
}

/// The columns of objects.
pub fn heads_of_objects(with_growth: bool) -> Heads {
    Heads {
        size: "head.retained",
        count: "head.objects",
        kind: "head.type",
        name: "head.object",
        came: with_growth.then_some("head.came"),
    }
}

/// The columns of groups.
pub const HEADS_OF_GROUPS: Heads = Heads {
    size: "head.retained",
    count: "head.count",
    kind: "head.type",
    name: "head.group",
    came: None,
};

/// The column of sizes, if these are shallow.
pub const SHALLOW: &str = "head.shallow";

/// The columns of retainers.
pub const HEADS_OF_RETAINERS: Heads = Heads {
    size: "head.retained",
    count: "head.references",
    kind: "head.type",
    name: "head.retainer",
    came: None,
};

/// The columns of what grew.
pub const HEADS_OF_GROWTH: Heads = Heads {
    size: "head.grew_by",
    count: "head.count",
    kind: "head.type",
    name: "head.suspect",
    came: None,
};

// The keys that work on a screen, and the codes of what they do.
const OPEN: Hint = ("Enter", "key.open");
const UP: Hint = ("←", "key.up");
const GO: Hint = ("Enter", "key.go_there");
const BACK: Hint = ("Esc", "key.back");
const PATH: Hint = ("p", "view.path");
const RETAINERS: Hint = ("r", "view.retainers");
const GROUPS: Hint = ("g", "view.groups");
const SUSPECTS: Hint = ("s", "view.suspects");
const SEARCH: Hint = ("/", "view.search");
const ORDER: Hint = ("o", "key.order");
const DIFFERENCE: Hint = ("d", "key.difference");
const HELP: Hint = ("?", "key.help");
const QUIT: Hint = ("q", "key.quit");

pub const KEYS_OF_TREE: &[Hint] = &[
    OPEN, UP, GROUPS, PATH, RETAINERS, SUSPECTS, SEARCH, ORDER, DIFFERENCE, HELP, QUIT,
];
pub const KEYS_OF_GROUPS: &[Hint] = &[
    GO, BACK, PATH, RETAINERS, SUSPECTS, SEARCH, ORDER, HELP, QUIT,
];
pub const KEYS_OF_LISTS: &[Hint] = &[
    GO, BACK, PATH, RETAINERS, GROUPS, SUSPECTS, SEARCH, HELP, QUIT,
];
pub const KEYS_OF_PROMPT: &[Hint] = &[("Enter", "view.search"), ("Esc", "key.give_up")];

/// The key that selects a row of the help, and the code of the name of all others, which end it.
pub const SELECT: Hint = ("↑↓", "key.select");
pub const OTHER_KEY: &str = "key.other";

/// What every key does, for the help.
pub const ALL_KEYS: &[Hint] = &[
    ("↑ ↓ PgUp PgDn Home End", "help.move"),
    ("Enter →", "help.open"),
    ("← Backspace", "help.up"),
    ("Esc", "help.back"),
    ("g", "help.groups"),
    ("p", "help.path"),
    ("r", "help.retainers"),
    ("s", "help.suspects"),
    ("/", "help.search"),
    ("o", "help.order"),
    ("d", "help.difference"),
    ("?", "help.help"),
    ("q", "help.quit"),
];

/// What the words on the screens mean, for the help.
pub const MEANINGS: &[&str] = &[
    "help.meaning_tree",
    "help.meaning_retained",
    "help.meaning_many",
];
