//! `waste(s [, n])`: what a snapshot knows of memory that could be spared, as a plain table.

use crate::stats::{blocks, integer, tally};
use luasnap_capture::Value;
use luasnap_format::{object_name, printable};
use luasnap_heap::{Duplicates, Heap, SparseTables, Waste};

/// How many rows of each sort there are where nobody says, and at most.
pub const ROWS: usize = 10;
pub const MOST_ROWS: usize = 1000;

/// The table that `waste` gives of what was found in `heap`, with so many rows of each sort.
pub fn table(heap: &Heap, waste: &Waste, rows: usize) -> Value {
    let rows = rows.min(MOST_ROWS);
    let census = &waste.census;
    let mut fields = vec![("blocks".into(), blocks(census))];
    let strings = waste.strings.as_ref();
    fields.extend(strings.map(|found| ("strings".into(), strings_table(heap, found, rows))));
    let tables = waste.tables.as_ref();
    fields.extend(tables.map(|found| ("tables".into(), tables_table(heap, found, rows))));
    let garbage = census.garbage.map(tally);
    fields.extend(garbage.map(|garbage| ("garbage".into(), garbage)));
    fields.extend(census.total.map(|total| ("total".into(), integer(total))));
    let unaccounted = census.unaccounted.map(Value::Integer);
    fields.extend(unaccounted.map(|bytes| ("unaccounted".into(), bytes)));
    Value::Table(fields)
}

fn strings_table(heap: &Heap, found: &Duplicates, rows: usize) -> Value {
    let texts = found.texts.iter().take(rows).map(|text| {
        Value::Table(vec![
            (
                "text".into(),
                Value::Text(printable(start_of(heap.source(text.node)))),
            ),
            ("count".into(), integer(u64::from(text.count))),
            ("size".into(), integer(text.size)),
            ("bytes".into(), integer(text.lost)),
        ])
    });
    summary(found.count, found.bytes, texts.collect())
}

/// Strings that are names are kept whole, however long they are.
fn start_of(text: &[u8]) -> &[u8] {
    &text[..text.len().min(40)]
}

fn tables_table(heap: &Heap, found: &SparseTables, rows: usize) -> Value {
    let tables = found.tables.iter().take(rows).map(|wasted| {
        let table = wasted.table;
        let address = Value::Text(object_name(heap, table.node));
        Value::Table(vec![
            ("address".into(), address),
            ("array_slots".into(), integer(u64::from(table.array_slots))),
            ("array_used".into(), integer(u64::from(table.array_used))),
            ("hash_slots".into(), integer(u64::from(table.hash_slots))),
            ("hash_used".into(), integer(u64::from(table.hash_used))),
            ("bytes".into(), integer(wasted.lost)),
        ])
    });
    summary(found.tables.len() as u64, found.bytes, tables.collect())
}

fn summary(count: u64, bytes: u64, top: Vec<Value>) -> Value {
    Value::Table(vec![
        ("count".into(), integer(count)),
        ("bytes".into(), integer(bytes)),
        ("top".into(), Value::List(top)),
    ])
}
