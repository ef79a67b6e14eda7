//! Tables that fit the terminal.

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets,
};
use std::io::{IsTerminal, stdout};

/// A table in the making.
pub struct Columns {
    table: Table,
    aligned: Vec<CellAlignment>,
}

impl Columns {
    /// By the columns' names; those that start with `>` are aligned to the right, and are called
    /// what follows.
    pub fn new(names: &[&str]) -> Columns {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        // What is read by a program is not wrapped.
        if stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        let aligned = names.iter().map(|name| match name.starts_with('>') {
            true => CellAlignment::Right,
            false => CellAlignment::Left,
        });
        let aligned: Vec<_> = aligned.collect();
        let head = names.iter().zip(&aligned).map(|(name, alignment)| {
            Cell::new(name.trim_start_matches('>'))
                .set_alignment(*alignment)
                .add_attribute(Attribute::Bold)
        });
        table.set_header(head);
        for (column, alignment) in table.column_iter_mut().zip(&aligned) {
            column.set_padding((0, 2));
            // Numbers stay whole where names have to wrap.
            if *alignment == CellAlignment::Right {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        Columns { table, aligned }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().zip(&self.aligned);
        self.table
            .add_row(cells.map(|(text, alignment)| Cell::new(text).set_alignment(*alignment)));
    }
}

impl std::fmt::Display for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.table.lines() {
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
