//! Tables that fit the terminal.

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, presets,
};
use std::io::{IsTerminal, stdout};

/// A column with its name.
#[derive(Clone, Copy)]
pub enum Column {
    /// Numbers: right-aligned, never wrapped.
    Number(&'static str),
    /// Short words, never wrapped.
    Word(&'static str),
    /// Names and paths, which wrap if the terminal is narrow.
    Text(&'static str),
    /// Text of any length on one line; its end is cut off if the terminal is narrow. A table with a `Line` has
    /// no `Text`.
    Line(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Column::Number(name) | Column::Word(name) | Column::Text(name) | Column::Line(name) => {
                name
            }
        }
    }

    fn is_line(&self) -> bool {
        matches!(self, Column::Line(_))
    }

    fn cell(self, text: String) -> Cell {
        Cell::new(text).set_alignment(match self {
            Column::Number(_) => CellAlignment::Right,
            Column::Word(_) | Column::Text(_) | Column::Line(_) => CellAlignment::Left,
        })
    }
}

/// A table under construction.
pub struct Columns {
    table: Table,
    columns: Vec<Column>,
}

impl Columns {
    /// Returns a table whose head has the columns' names.
    pub fn new(columns: &[Column]) -> Columns {
        let mut table = Columns::without_head(columns);
        let names = columns.iter().map(|column| {
            let name = column.cell(column.name().to_owned());
            name.add_attribute(Attribute::Bold)
        });
        table.table.set_header(names);
        table
    }

    /// Returns a table without a head.
    pub fn without_head(columns: &[Column]) -> Columns {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        // Output for programs is not wrapped.
        table.set_content_arrangement(match stdout().is_terminal() {
            true => ContentArrangement::Dynamic,
            false => ContentArrangement::Disabled,
        });
        Columns {
            table,
            columns: columns.to_vec(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().zip(&self.columns);
        let mut row = Row::from(cells.map(|(text, column)| column.cell(text)));
        if self.columns.iter().any(Column::is_line) {
            row.max_height(1);
        }
        self.table.add_row(row);
    }

    /// Returns the text of the table.
    pub fn text(mut self) -> String {
        for (column, kind) in self.table.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, 2));
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
        let lines = self.table.lines();
        lines.map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Whether the terminal is so narrow that examples go below the names.
    pub fn are_narrow() -> bool {
        const NARROW: u16 = 120;
        Columns::room() < NARROW
    }

    /// Returns the width of the terminal; as much as there can be where output is for programs.
    pub fn room() -> u16 {
        match stdout().is_terminal() {
            true => Table::new().width().unwrap_or(u16::MAX),
            false => u16::MAX,
        }
    }
}
