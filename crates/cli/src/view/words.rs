//! All words of the view.

use crate::snapshot_file::SnapshotFile;
use crate::view::picture::{Heads, Hint};
use luasnap_format::{byte_size, count_of, grouped, printable_path};
use luasnap_heap::Tally;

// What takes time before the view is there.
pub const FINDING_PATHS: &str = "finding shortest paths";
pub const FINDING_DOMINATORS: &str = "finding dominators";
pub const GROUPING: &str = "grouping";
pub const COMPARING: &str = "comparing";
pub const SORTING: &str = "sorting the dominator tree";
pub const MEASURING_GROUPS: &str = "measuring groups";

/// Why there is no view.
pub const NO_TERMINAL: &str = "view needs a terminal, for its keys and for what it shows; \
    `luasnap top FILE` and `luasnap path FILE WHAT` answer without one, and `luasnap view --json FILE` writes rows";

// Where one is.
pub const ALL: &str = "all objects";
pub const GROUPS: &str = "groups";
pub const SUSPECTS: &str = "suspects";
pub const GAP: &str = "…";
/// Between the steps of where one is.
pub const STEP: &str = " › ";
pub const HELP: &str = "keys";

// What a row that is not known yet shows.
pub const WAITING: &str = "…";

/// Returns the name of the screen of a path.
pub fn path_of(what: &str) -> Vec<String> {
    vec!["path".to_owned(), what.to_owned()]
}

/// Returns the name of the screen of retainers.
pub fn retainers_of(what: &str) -> Vec<String> {
    vec!["retainers".to_owned(), what.to_owned()]
}

/// Returns the name of the screen of what was searched for.
pub fn search_for(word: &str) -> Vec<String> {
    vec!["search".to_owned(), word.to_owned()]
}

/// Returns the title: the files, and how many bytes and objects the newest has.
pub fn title(files: &[SnapshotFile], live: Tally) -> String {
    let newest = files.last().map(|file| {
        let vm = &file.snapshot.everything().provenance().vm;
        let about = format!(
            "{} in {}",
            byte_size(live.bytes),
            count_of(live.count, "object")
        );
        match vm.is_empty() {
            true => format!("{}: {about}", printable_path(&file.path)),
            false => format!("{}: {about}, {vm}", printable_path(&file.path)),
        }
    });
    let oldest = files.first().filter(|_| files.len() > 1);
    let since = oldest.map(|file| format!(", since {}", printable_path(&file.path)));
    format!(
        "{}{}",
        newest.unwrap_or_default(),
        since.unwrap_or_default()
    )
}

/// The columns of objects.
pub fn heads_of_objects(with_growth: bool) -> Heads {
    Heads {
        size: "retained",
        count: "objects",
        name: "object",
        came: with_growth.then_some("came"),
    }
}

/// The columns of groups.
pub const HEADS_OF_GROUPS: Heads = Heads {
    size: "retained",
    count: "count",
    name: "group",
    came: None,
};

/// The column of sizes, if these are shallow.
pub const SHALLOW: &str = "shallow";

/// The columns of retainers.
pub const HEADS_OF_RETAINERS: Heads = Heads {
    size: "retained",
    count: "references",
    name: "retainer",
    came: None,
};

/// The columns of what grew.
pub const HEADS_OF_GROWTH: Heads = Heads {
    size: "grew by",
    count: "count",
    name: "suspect",
    came: None,
};

// The names of orders.
pub const BY_RETAINED: &str = "retained size";
pub const BY_SHALLOW: &str = "shallow size";
pub const BY_COUNT: &str = "number of objects";
pub const BY_NAME: &str = "name";
pub const BY_GROWTH: &str = "what came";

/// Says in which order rows are.
pub fn ordered(by: &str) -> String {
    format!("ordered by {by}")
}

/// Says that rows are being put in order.
pub fn ordering(by: &str, seen: usize, all: usize) -> String {
    let (seen, all) = (grouped(seen as u64), grouped(all as u64));
    format!("ordering by {by}: {seen} of {all}")
}

/// The name of a row of many.
pub fn many(name: &str, count: u64) -> String {
    format!("{name} × {}", grouped(count))
}

/// What a table is, and by how many entries it grew.
pub fn grown(what: &str, entries: u32) -> String {
    format!("{what} (+{})", grouped(entries.into()))
}

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

// What a key could not do.
pub const NOTHING_BELOW: &str = "it retains nothing but itself";
pub const AT_THE_TOP: &str = "this is the top of the tree";
pub const NO_OBJECT: &str = "this row is no object";
pub const ONE_FILE: &str = "nothing to compare with: luasnap view OLDER NEWER shows what came";
pub const OTHER_PROCESS: &str =
    "the files are of different processes: their groups can be compared (s), their objects cannot";
pub const ONE_ORDER: &str = "these rows have one order";
pub const CANCELLED: &str = "cancelled";
pub const IT_IS_GARBAGE: &str = "it is garbage: nothing keeps it alive";

/// Says whether what came is shown.
pub fn difference(is_shown: bool) -> &'static str {
    match is_shown {
        true => "showing what came since the older snapshot; + is a new object",
        false => "showing all objects",
    }
}

/// Says how many groups are listed.
pub fn groups_listed(listed: usize, all: usize) -> String {
    format!(
        "{} of {}",
        grouped(listed as u64),
        count_of(all as u64, "group")
    )
}

// The screen of a path and that of retainers.
pub const LOOKING: &str = "looking for everything that keeps it alive";
pub const DOMINATORS: &str =
    "dominators, the nearest first (without any one of them it is garbage):";
pub const GC_ROOT: &str = "GC root";

/// The title of the shortest path.
pub fn shortest_path(count: u64) -> String {
    match count {
        1 => "shortest path from a GC root:".to_owned(),
        count => format!(
            "shortest path from a GC root to the first of {}:",
            count_of(count, "object")
        ),
    }
}

/// The title of paths that share nothing.
pub fn paths_that_share_nothing(count: usize) -> String {
    format!("{count} paths share nothing, and each has to be cut:")
}

/// Says what some objects retain.
pub fn retains(words: &str, shallow: u64, retained: u64, share: f64) -> String {
    format!(
        "{words}: shallow size {}, retained size {} ({:.1}% of all)",
        byte_size(shallow),
        byte_size(retained),
        100.0 * share,
    )
}

/// Says how many retainers there are.
pub fn retainers(count: usize, listed: usize) -> String {
    match count == listed {
        true => count_of(count as u64, "retainer"),
        false => format!(
            "{}, {} listed",
            count_of(count as u64, "retainer"),
            grouped(listed as u64)
        ),
    }
}

/// Says that a table is weak and yet entries stay.
pub fn weak_table(path: &str, words: &str) -> String {
    format!("weak table {path}: {words}")
}

/// Says what an object refers to itself by.
pub fn refers_to_itself(steps: &[String]) -> String {
    format!("it also refers to itself, by {}", steps.join(", "))
}

// The screen of suspects.
pub const LARGE_GROUPS: &str = "What retains a fifth of all or more:";
pub const LARGEST_OBJECTS: &str = "The objects that retain most:";
pub const LEAK_SUSPECTS: &str = "Leak suspects, by accumulation point:";
pub const WHAT_CHANGED: &str = "What changed:";
pub const NOTHING_CHANGED: &str = "Nothing changed.";

/// Says what a suspect is: who holds it, and an example.
pub fn suspect(held_by: Option<&str>, example: &str) -> String {
    match held_by {
        Some(who) => format!("held by {who}; e.g. {example}"),
        None => format!("e.g. {example}"),
    }
}

/// Names a row by an example.
pub fn example(example: &str) -> String {
    format!("e.g. {example}")
}

// The search.
/// Says how far a search is.
pub fn searched(found: usize, is_under_way: bool, is_bounded: bool) -> String {
    let found = grouped(found as u64);
    match (is_under_way, is_bounded) {
        (true, _) => format!("searching: {found} found, Esc cancels"),
        (false, true) => format!("the first {found}: the search has ended there"),
        (false, false) => format!("{found} found"),
    }
}

// The keys that work on a screen, and what they do.
const MOVE: Hint = ("↑↓", "select");
const OPEN: Hint = ("Enter", "open");
const UP: Hint = ("←", "up");
const GO: Hint = ("Enter", "go there");
const BACK: Hint = ("Esc", "back");
const PATH: Hint = ("p", "path");
const RETAINERS: Hint = ("r", "retainers");
const GROUPS_KEY: Hint = ("g", "groups");
const SUSPECTS_KEY: Hint = ("s", "suspects");
const SEARCH: Hint = ("/", "search");
const ORDER: Hint = ("o", "order");
const DIFFERENCE: Hint = ("d", "difference");
const KEYS: Hint = ("?", "help");
const QUIT: Hint = ("q", "quit");

pub const KEYS_OF_TREE: &[Hint] = &[
    OPEN,
    UP,
    GROUPS_KEY,
    PATH,
    RETAINERS,
    SUSPECTS_KEY,
    SEARCH,
    ORDER,
    DIFFERENCE,
    KEYS,
    QUIT,
];
pub const KEYS_OF_GROUPS: &[Hint] = &[
    GO,
    BACK,
    PATH,
    RETAINERS,
    SUSPECTS_KEY,
    SEARCH,
    ORDER,
    KEYS,
    QUIT,
];
pub const KEYS_OF_LISTS: &[Hint] = &[
    GO,
    BACK,
    PATH,
    RETAINERS,
    GROUPS_KEY,
    SUSPECTS_KEY,
    SEARCH,
    KEYS,
    QUIT,
];
pub const KEYS_OF_PROMPT: &[Hint] = &[("Enter", "search"), ("Esc", "give up")];
pub const KEYS_OF_HELP: &[Hint] = &[MOVE, ("any other key", "back")];

/// What every key does, for the help.
pub const ALL_KEYS: &[Hint] = &[
    (
        "↑ ↓ PgUp PgDn Home End",
        "select a row (also k, j and Space)",
    ),
    (
        "Enter →",
        "go into an object, or to it from a list (also l)",
    ),
    ("← Backspace", "go up to its dominator (also h)"),
    ("Esc", "go back to where one was; cancel what is under way"),
    (
        "g",
        "groups: what retains most, by class, place in the source or path",
    ),
    (
        "p",
        "path: what leads from a GC root to the selected object",
    ),
    ("r", "retainers: all that refers to it and keeps it alive"),
    (
        "s",
        "suspects: of one file the largest, of several what grows",
    ),
    (
        "/",
        "search for a name, a class, a source, a path or an address",
    ),
    (
        "o",
        "order: retained size, shallow size, number of objects, name",
    ),
    (
        "d",
        "difference: what came since the older of several files",
    ),
    ("?", "this help"),
    ("q", "quit (also Ctrl-C)"),
];

/// What the words on the screens mean, for the help.
pub const MEANINGS: &[&str] = &[
    "An object is shown below its nearest dominator: without that one it would be garbage.",
    "retained: what would be freed with it. The bar is its part of the object above.",
    "name × 1,000: many objects of one group below one object, in one row.",
];
