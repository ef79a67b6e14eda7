//! Tables that fit the terminal.

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets,
};
use std::io::{IsTerminal, stdout};

/// A column, by its name.
#[derive(Clone, Copy)]
pub enum Column {
    /// Numbers: to the right, and never wrapped.
    Number(&'static str),
    /// Short words, never wrapped.
    Word(&'static str),
    /// Names and chains, which wrap where the terminal is narrow.
    Text(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Column::Number(name) | Column::Word(name) | Column::Text(name) => name,
        }
    }

    fn cell(self, text: String) -> Cell {
        Cell::new(text).set_alignment(match self {
            Column::Number(_) => CellAlignment::Right,
            Column::Word(_) | Column::Text(_) => CellAlignment::Left,
        })
    }
}

/// A table in the making.
pub struct Columns {
    table: Table,
    columns: Vec<Column>,
}

impl Columns {
    /// Its head has the columns' names.
    pub fn new(columns: &[Column]) -> Columns {
        let mut table = Columns::without_head(columns);
        let names = columns.iter().map(|column| {
            let name = column.cell(column.name().to_owned());
            name.add_attribute(Attribute::Bold)
        });
        table.table.set_header(names);
        table
    }

    /// Without a head, for where a sentence says what it is.
    pub fn without_head(columns: &[Column]) -> Columns {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        // What is read by a program is not wrapped.
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
        self.table
            .add_row(cells.map(|(text, column)| column.cell(text)));
    }

    /// The text of the table.
    pub fn text(mut self) -> String {
        for (column, kind) in self.table.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, 2));
            if let Column::Number(_) | Column::Word(_) = kind {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let lines = self.table.lines();
        lines.map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Whether so little fits the terminal that long texts are better below each other.
    pub fn are_narrow() -> bool {
        const NARROW: u16 = 120;
        stdout().is_terminal() && Table::new().width().is_some_and(|width| width < NARROW)
    }
}
