//! What is on the screen, as plain data.

/// What is on the screen.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Which file it is about.
    pub title: String,
    /// Where one is: the outermost first.
    pub crumbs: Vec<String>,
    /// Sentences above the rows.
    pub notes: Vec<String>,
    /// The names of the columns.
    pub heads: Heads<String>,
    /// The rows that fit.
    pub rows: Vec<Cells>,
    /// The selected one among them.
    pub selected: Option<usize>,
    /// The number of the selected row among all, from 1 on, and the number of all; both 0 if there are none.
    pub place: (usize, usize),
    /// What is under way, or what came of the last key.
    pub status: Option<String>,
    /// The keys that work here, and what they do, in a word or two.
    pub keys: Vec<(String, String)>,
    /// The line that is being typed.
    pub prompt: Option<String>,
    /// Whether the rows are an explanation of keys.
    pub is_help: bool,
}

/// A key, and the code of what it does.
pub type Hint = (&'static str, &'static str);

/// The names of the columns, or the codes of these.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heads<Name = &'static str> {
    pub size: Name,
    pub count: Name,
    pub kind: Name,
    pub name: Name,
    /// Of the column of what came; `None` without one.
    pub came: Option<Name>,
}

impl Heads {
    /// Returns the names with these codes.
    pub fn named(&self, name: impl Fn(&'static str) -> String) -> Heads<String> {
        Heads {
            size: name(self.size),
            count: name(self.count),
            kind: name(self.kind),
            name: name(self.name),
            came: self.came.map(&name),
        }
    }
}

/// A row. All texts are printable.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// Whether the object is new since the older snapshot.
    pub is_new: bool,
    /// A number of bytes.
    pub size: String,
    /// The part of the bytes above, from 0 to 1: the length of the bar.
    pub share: Option<f64>,
    /// The bytes that came.
    pub came: String,
    pub count: String,
    pub kind: &'static str,
    pub name: String,
    /// What it is, behind its name.
    pub what: String,
    /// Whether it is a title of the rows below it.
    pub is_title: bool,
}

impl Cells {
    /// Returns a title of the rows below it.
    pub fn title(text: impl Into<String>) -> Cells {
        Cells {
            name: text.into(),
            is_title: true,
            ..Cells::default()
        }
    }

    /// Returns a row that has nothing but a text.
    pub fn text(text: impl Into<String>) -> Cells {
        Cells {
            name: text.into(),
            ..Cells::default()
        }
    }
}
