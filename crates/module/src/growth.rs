//! `growth(s1, s2, ...)`: what grew from snapshot to snapshot, as a plain table.

use crate::arguments::{Result, argument};
use crate::failure::uncompared;
use crate::stats::{integer, text};
use luasnap_capture::{Call, Return, Value};
use luasnap_format::{GrowthAnswer, GrowthRow, SuspectRow};
use luasnap_heap::Snapshot;

/// How many rows of each sort there are at most.
const MOST_ROWS: usize = 1000;

/// `growth(s1, s2, ...)`.
pub fn growth(call: &mut Call<'_>) -> Result {
    // Behind the two that there must be, nils at the end are arguments that are not there.
    let given = (3..=call.argument_count()).rfind(|number| !call.is_nil_argument(*number));
    let snapshots = (1..=given.unwrap_or(call.argument_count().min(2)))
        .map(|number| argument(call, number))
        .collect::<Result<Vec<_>>>()?;
    let snapshots: Vec<&Snapshot> = snapshots.iter().map(AsRef::as_ref).collect();
    let answer = luasnap_format::growth(&snapshots, MOST_ROWS).map_err(uncompared)?;
    Ok(Return::Value(table(&answer)))
}

fn table(answer: &GrowthAnswer) -> Value {
    let rows = |rows: &[GrowthRow]| Value::List(rows.iter().map(row).collect());
    let suspects = answer
        .suspects
        .iter()
        .map(|suspect| self::suspect(answer, suspect));
    Value::Table(vec![
        ("growing".into(), rows(&answer.growing)),
        ("changed".into(), rows(&answer.changed)),
        ("changed_count".into(), integer(answer.changed_count as u64)),
        ("suspects".into(), Value::List(suspects.collect())),
        ("sizes".into(), numbers(&answer.sizes)),
    ])
}

fn row(row: &GrowthRow) -> Value {
    Value::Table(vec![
        ("name".into(), text(&row.name)),
        ("type".into(), text(row.kind.type_name())),
        ("counts".into(), numbers(&row.counts)),
        ("sizes".into(), numbers(&row.sizes)),
        ("count_change".into(), Value::Integer(row.count_change)),
        ("size_change".into(), Value::Integer(row.size_change)),
        ("growing".into(), Value::Boolean(row.grows_in_every_step)),
        ("example".into(), text(&row.example)),
        ("fingerprint".into(), text(&row.fingerprint)),
    ])
}

fn suspect(answer: &GrowthAnswer, suspect: &SuspectRow) -> Value {
    let groups = suspect
        .groups
        .iter()
        .map(|at| text(&answer.growing[*at].fingerprint));
    Value::Table(vec![
        ("point".into(), text(&suspect.point)),
        ("retained".into(), integer(suspect.retained)),
        ("share".into(), Value::Number(suspect.share)),
        ("grown".into(), integer(suspect.grown)),
        ("groups".into(), Value::List(groups.collect())),
        ("example".into(), text(&suspect.example)),
        ("fingerprint".into(), text(&suspect.fingerprint)),
    ])
}

fn numbers(values: &[u64]) -> Value {
    Value::List(values.iter().map(|value| integer(*value)).collect())
}
