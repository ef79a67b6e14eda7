//! Tables that fit the terminal.

use crate::look;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets,
};
use luasnap_heap::Kind;
use unicode_width::UnicodeWidthStr;

/// The blanks between two columns.
const GUTTER: usize = 2;
/// The letters of a bar.
const BAR: usize = 10;

/// A column with the code of its name.
#[derive(Clone, Copy)]
pub enum Column {
    /// Numbers: right-aligned, never wrapped.
    Number(&'static str),
    /// Short words, never wrapped.
    Word(&'static str),
    /// Names and paths: if the terminal is narrow, steps are left out of them, and what is still too long wraps.
    Text(&'static str),
    /// Text of any length on one line; its end is cut off if the terminal is narrow. A table with a `Line` has
    /// no `Text`.
    Line(&'static str),
}

impl Column {
    /// Returns the name in the user's language.
    fn name(self) -> String {
        match self {
            Column::Number(code) | Column::Word(code) | Column::Text(code) | Column::Line(code) => {
                look::words(code)
            }
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Column::Text(_))
    }

    fn is_line(self) -> bool {
        matches!(self, Column::Line(_))
    }
}

/// What a cell has, which may have a colour.
#[derive(Clone)]
pub struct CellText {
    text: String,
    color: Option<Color>,
}

impl From<String> for CellText {
    fn from(text: String) -> CellText {
        CellText { text, color: None }
    }
}

impl CellText {
    /// The type of objects.
    pub fn kind(kind: Kind) -> CellText {
        CellText {
            text: kind.type_name().to_owned(),
            color: color_of(kind),
        }
    }

    /// A change, in words: what grew stands out.
    pub fn change(text: String, change: i64) -> CellText {
        CellText {
            text,
            color: (change > 0).then_some(Color::Red),
        }
    }

    /// A bar for a part of the whole, from 0 to 1.
    pub fn bar(share: f64) -> CellText {
        const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
        let eighths = (share.clamp(0.0, 1.0) * (8 * BAR) as f64).round() as usize;
        CellText {
            text: "█".repeat(eighths / 8) + EIGHTHS[eighths % 8],
            color: Some(Color::DarkCyan),
        }
    }
}

fn color_of(kind: Kind) -> Option<Color> {
    Some(match kind.type_name() {
        "table" => Color::DarkCyan,
        "function" => Color::DarkGreen,
        "string" => Color::DarkYellow,
        "thread" => Color::DarkMagenta,
        _ => return None,
    })
}

/// A table under construction.
pub struct Columns {
    columns: Vec<Column>,
    has_head: bool,
    rows: Vec<Vec<CellText>>,
}

impl Columns {
    /// Returns a table whose head has the columns' names.
    pub fn new(columns: &[Column]) -> Columns {
        Columns {
            has_head: true,
            ..Columns::without_head(columns)
        }
    }

    /// Returns a table without a head.
    pub fn without_head(columns: &[Column]) -> Columns {
        Columns {
            columns: columns.to_vec(),
            has_head: false,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row<T: Into<CellText>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(T::into).collect());
    }

    /// Returns the text of the table.
    pub fn text(mut self) -> String {
        let width = look::width();
        if let Some(width) = width.filter(|_| look::fits_names()) {
            self.fit(width.into());
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        if look::has_color() {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        match width {
            Some(width) => {
                table.set_width(width);
                table.set_content_arrangement(ContentArrangement::Dynamic);
            }
            // Output for programs is not wrapped.
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        if self.has_head {
            let names = self.columns.iter().map(|column| {
                let name = CellText::from(column.name());
                cell(*column, name).add_attribute(Attribute::Bold)
            });
            table.set_header(names);
        }
        let has_line = self.columns.iter().any(|column| column.is_line());
        for row in self.rows {
            let cells = row.into_iter().zip(&self.columns);
            let mut row = comfy_table::Row::from(cells.map(|(text, column)| cell(*column, text)));
            if has_line {
                row.max_height(1);
            }
            table.add_row(row);
        }
        for (column, kind) in table.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, GUTTER as u16));
            match kind {
                Column::Number(_) | Column::Word(_) => {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                Column::Text(_) => {}
                // It may be cut anywhere, not only between words.
                Column::Line(_) => {
                    column.set_delimiter('\0');
                }
            }
        }
        let lines = table.lines();
        lines.map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Leaves steps out of the names that do not fit.
    fn fit(&mut self, width: usize) {
        let widths: Vec<usize> = (0..self.columns.len()).map(|at| self.width(at)).collect();
        let mut left = width.saturating_sub(GUTTER * self.columns.len());
        let mut texts = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            match column.is_text() {
                true => texts.push(at),
                false => left = left.saturating_sub(widths[at]),
            }
        }
        // The narrowest first: what it leaves is for the others.
        texts.sort_by_key(|at| widths[*at]);
        for (number, at) in texts.iter().copied().enumerate() {
            let most = widths[at].min(left / (texts.len() - number));
            left -= most;
            let cells = self.rows.iter_mut().filter_map(|row| row.get_mut(at));
            for cell in cells {
                let lines = cell.text.split('\n');
                let lines =
                    lines.map(|line| luasnap_format::fit(line, most, UnicodeWidthStr::width));
                cell.text = lines.collect::<Vec<_>>().join("\n");
            }
        }
    }

    /// Returns the width of what a column has.
    fn width(&self, at: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        let lines = cells.flat_map(|cell| cell.text.split('\n'));
        let widest = lines.map(UnicodeWidthStr::width).max().unwrap_or(0);
        match self.has_head {
            true => widest.max(self.columns[at].name().width()),
            false => widest,
        }
    }

    /// Whether the terminal is so narrow that examples go below the names.
    pub fn are_narrow() -> bool {
        const NARROW: u16 = 120;
        look::width().is_some_and(|width| width < NARROW)
    }

    /// Whether there is a terminal wide enough for bars.
    pub fn have_bars() -> bool {
        const WIDE: u16 = 100;
        look::width().is_some_and(|width| width >= WIDE)
    }

    /// Returns the width that rows are to fit; as much as there can be where they may be of any.
    pub fn room() -> u16 {
        look::width().unwrap_or(u16::MAX)
    }
}

/// Returns the text with blanks before it, so that it has this width.
pub fn to_the_right(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(text.width())) + text
}

/// Returns the text with blanks behind it, so that it has this width.
pub fn to_the_left(text: &str, width: usize) -> String {
    text.to_owned() + &" ".repeat(width.saturating_sub(text.width()))
}

fn cell(column: Column, content: CellText) -> Cell {
    let cell = Cell::new(content.text).set_alignment(match column {
        Column::Number(_) => CellAlignment::Right,
        Column::Word(_) | Column::Text(_) | Column::Line(_) => CellAlignment::Left,
    });
    match content.color {
        Some(color) => cell.fg(color),
        None => cell,
    }
}
