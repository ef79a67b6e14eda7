//! Columns of tables, and the values of rows until they are written.

use parquet::data_type::ByteArray;
use std::collections::BTreeMap;

/// The number of the schema of all tables. A column that means something else, is called something else or goes raises it; a new
/// one that may be null does not.
pub const SCHEMA: u32 = 1;

/// A table.
pub struct Table {
    /// The name of its folder.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Column],
}

/// A column of a table.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub kind: ColumnKind,
    /// Whether a value may be null.
    pub is_optional: bool,
    /// Whether its values are names of the program, which may be left out.
    pub is_name: bool,
    /// Whether its values rise, or lie near to each other: then their differences are stored.
    pub is_near: bool,
}

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnKind {
    /// Text in UTF-8.
    Text,
    /// A whole number in 64 bits, with a sign: readers without unsigned numbers are many.
    Number,
    /// `true` or `false`.
    Flag,
    /// A time, in milliseconds since 1970, in UTC.
    Time,
    /// Texts by name.
    Labels,
}

impl Column {
    /// A column that always has a value.
    pub const fn required(name: &'static str, kind: ColumnKind) -> Column {
        Column {
            name,
            kind,
            is_optional: false,
            is_name: false,
            is_near: false,
        }
    }

    /// A column whose values may be null.
    pub const fn optional(name: &'static str, kind: ColumnKind) -> Column {
        Column {
            is_optional: true,
            ..Column::required(name, kind)
        }
    }

    /// A column of names of the program: null where they are left out.
    pub const fn name(name: &'static str) -> Column {
        Column {
            is_name: true,
            ..Column::optional(name, ColumnKind::Text)
        }
    }

    /// The same column, whose numbers rise or lie near to each other.
    pub const fn near(self) -> Column {
        Column {
            is_near: true,
            ..self
        }
    }
}

/// A value.
#[derive(Debug)]
pub enum Cell {
    /// Nothing is known.
    Null,
    /// Of a column of texts.
    Text(ByteArray),
    /// Of a column of numbers or times.
    Number(i64),
    /// Of a column of flags.
    Flag(bool),
    /// Of a column of labels.
    Labels(BTreeMap<String, String>),
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text.into_bytes().into())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.into())
    }
}

impl From<ByteArray> for Cell {
    fn from(text: ByteArray) -> Cell {
        Cell::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Cell {
        Cell::Number(number)
    }
}

impl From<u64> for Cell {
    /// No count of bytes or objects comes near to the limit; an address of the kernel's half keeps its bits.
    fn from(number: u64) -> Cell {
        Cell::Number(number.cast_signed())
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Cell {
        Cell::Number(number.into())
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Cell {
        Cell::Flag(flag)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Null, Into::into)
    }
}

/// The values of a column for some rows.
#[derive(Default)]
pub struct Values {
    /// Of columns of texts; of labels, the names.
    pub texts: Vec<ByteArray>,
    /// Of columns of numbers and times.
    pub numbers: Vec<i64>,
    /// Of columns of flags.
    pub flags: Vec<bool>,
    /// Of labels, the texts.
    pub label_texts: Vec<ByteArray>,
    /// How much of each value there is: 0 for null. Of labels there are several for a row, or one that says that it has none.
    pub definitions: Vec<i16>,
    /// Of labels: 0 where a row begins.
    pub repetitions: Vec<i16>,
}

impl Values {
    /// Adds the value of a row.
    pub fn push(&mut self, cell: Cell) {
        match cell {
            Cell::Labels(labels) => {
                self.push_labels(labels);
                return;
            }
            Cell::Null => {
                self.definitions.push(0);
                return;
            }
            Cell::Text(text) => self.texts.push(text),
            Cell::Number(number) => self.numbers.push(number),
            Cell::Flag(flag) => self.flags.push(flag),
        }
        self.definitions.push(1);
    }

    fn push_labels(&mut self, labels: BTreeMap<String, String>) {
        if labels.is_empty() {
            self.definitions.push(0);
            self.repetitions.push(0);
        }
        for (at, (name, text)) in labels.into_iter().enumerate() {
            self.definitions.push(1);
            self.repetitions.push(i16::from(at > 0));
            self.texts.push(name.into_bytes().into());
            self.label_texts.push(text.into_bytes().into());
        }
    }

    /// Forgets all of them, and keeps their room.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.numbers.clear();
        self.flags.clear();
        self.label_texts.clear();
        self.definitions.clear();
        self.repetitions.clear();
    }
}
