//! `path(s, what)` and `holders(s, what [, options])`: who holds an object, or a group.

use crate::arguments::{Result, argument};
use crate::failure::{unanswered, unmeant};
use crate::stats::{integer, text};
use luasnap_capture::{Call, Return, Value};
use luasnap_format::{WhoHolds, WhoHoldsOptions, find_target, object_at, printable, who_holds};
use luasnap_heap::{Label, NodeId, Snapshot};

/// How many immediate holders and disjoint chains there are where nobody says, and at most.
const HOLDERS: usize = 100;
const CHAINS: usize = 5;
const MOST: usize = 10_000;

/// `path(s, what)`: the shortest chain; nil and a reason where there is none.
pub fn path(call: &mut Call<'_>) -> Result {
    let options = WhoHoldsOptions {
        holders: 0,
        chains: 0,
    };
    let snapshot = argument(call, 1)?;
    let nodes = match targets(call, &snapshot)? {
        Ok(nodes) => nodes,
        Err(reason) => return Ok(Return::Absent(reason)),
    };
    let held = who_holds(&snapshot, &nodes, options).map_err(unanswered)?;
    match held.chain {
        Some(chain) => Ok(Return::Text(chain.into_bytes())),
        None => Ok(Return::Absent(unheld(&snapshot))),
    }
}

/// `holders(s, what [, {holders = 100, chains = 5}])`: all that is known of who holds it; nil and a
/// reason where nothing does.
pub fn holders(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let mut options = WhoHoldsOptions {
        holders: HOLDERS,
        chains: CHAINS,
    };
    if !call.is_nil_argument(3) {
        let holders = call.count_option(3, "holders")?;
        let chains = call.count_option(3, "chains")?;
        options.holders = holders.unwrap_or(HOLDERS).min(MOST);
        options.chains = chains.unwrap_or(CHAINS).min(MOST);
    }
    match targets(call, &snapshot)? {
        Ok(nodes) => {
            let held = who_holds(&snapshot, &nodes, options).map_err(unanswered)?;
            match held.chain {
                Some(_) => Ok(Return::Value(table(&held))),
                None => Ok(Return::Absent(unheld(&snapshot))),
            }
        }
        Err(reason) => Ok(Return::Absent(reason)),
    }
}

/// The objects that argument 2 means: itself, or what a string says; or why there are none.
fn targets(
    call: &Call<'_>,
    snapshot: &Snapshot,
) -> Result<std::result::Result<Vec<NodeId>, String>> {
    if let Some(address) = call.object_argument(2) {
        let found = object_at(snapshot.everything(), address);
        return Ok(found.map(|node| vec![node]).map_err(|_| {
            "the object is not in the snapshot: it was made later, or the snapshot is of something else"
                .to_owned()
        }));
    }
    if !call.is_string_argument(2) {
        return Err(call.type_error(2, "string or object"));
    }
    match find_target(snapshot, call.string_argument(2)?) {
        Ok(target) => Ok(Ok(target.nodes(snapshot).map_err(unanswered)?)),
        Err(error) => Ok(Err(unmeant(error)?)),
    }
}

/// Why nothing is told of who holds an object that the engine has seen.
fn unheld(snapshot: &Snapshot) -> String {
    let heap = snapshot.everything();
    let root = heap.root_range().next().map(|edge| heap.label(edge));
    match root {
        Some(Label::Root(name)) if heap.name(name) != b"[REGISTRY]" => {
            format!("{} does not hold it", printable(heap.name(name)))
        }
        _ => "nothing holds it: it is garbage".to_owned(),
    }
}

fn table(held: &WhoHolds) -> Value {
    let holders = held.holders.iter().map(|holder| {
        Value::Table(vec![
            ("holder".into(), text(&holder.holder)),
            ("path".into(), text(&holder.chain)),
            ("references".into(), integer(holder.references.into())),
        ])
    });
    let keepers = held.keepers.iter().map(|keeper| {
        Value::Table(vec![
            ("path".into(), text(&keeper.chain)),
            ("retained".into(), integer(keeper.retained.bytes)),
        ])
    });
    let chains = held.chains.iter().map(|chain| text(chain));
    let mut fields = vec![
        ("count".into(), integer(held.objects.count)),
        ("size".into(), integer(held.objects.bytes)),
        ("retained".into(), integer(held.retained.bytes)),
        ("holders".into(), Value::List(holders.collect())),
        ("holder_count".into(), integer(held.holder_count as u64)),
        ("keepers".into(), Value::List(keepers.collect())),
        ("paths".into(), Value::List(chains.collect())),
    ];
    fields.extend(
        held.chain
            .as_ref()
            .map(|chain| ("path".into(), text(chain))),
    );
    Value::Table(fields)
}
