//! `stats(s)`: what a snapshot counts, as a plain table.

use luasnap_capture::Value;
use luasnap_heap::{Census, Kind, Tally};

/// The table that `stats` gives.
pub fn table(census: &Census) -> Value {
    let mut fields = vec![
        ("engine".into(), text(census.engine.name())),
        ("exact".into(), Value::Boolean(census.is_exact())),
        ("vm".into(), text(&census.vm)),
        ("objects".into(), tally(census.live)),
        ("references".into(), integer(census.references as u64)),
        ("kinds".into(), kinds(census)),
        ("own".into(), tally(census.own)),
        ("blocks".into(), blocks(census)),
        ("memory".into(), integer(census.memory as u64)),
    ];
    let layout = census.layout.as_ref();
    fields.extend(layout.map(|layout| ("layout".into(), text(layout))));
    fields.extend(
        census
            .garbage
            .map(|garbage| ("garbage".into(), tally(garbage))),
    );
    fields.extend(census.total.map(|total| ("total".into(), integer(total))));
    fields.extend(
        census
            .accounted
            .map(|bytes| ("accounted".into(), integer(bytes))),
    );
    let unaccounted = census.unaccounted.map(Value::Integer);
    fields.extend(unaccounted.map(|bytes| ("unaccounted".into(), bytes)));
    Value::Table(fields)
}

/// By kind, those of which there are some.
fn kinds(census: &Census) -> Value {
    let some = census
        .kinds
        .iter()
        .filter(|of_kind| of_kind.live.count + of_kind.garbage.count > 0);
    let row = |live: Tally, garbage: Tally| {
        Value::Table(vec![
            ("count".into(), integer(live.count)),
            ("bytes".into(), integer(live.bytes)),
            ("garbage_count".into(), integer(garbage.count)),
            ("garbage_bytes".into(), integer(garbage.bytes)),
        ])
    };
    Value::Table(
        some.map(|of_kind| {
            (
                name(of_kind.kind).into(),
                row(of_kind.live, of_kind.garbage),
            )
        })
        .collect(),
    )
}

/// What a kind is called: a word that can be a field.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Root => "root",
        Kind::Table => "table",
        Kind::LuaFunction => "lua_function",
        Kind::CFunction => "c_function",
        Kind::Thread => "thread",
        Kind::Userdata => "userdata",
        Kind::String => "string",
        Kind::Prototype => "prototype",
        Kind::Upvalue => "upvalue",
        Kind::Cdata => "cdata",
        Kind::Trace => "trace",
        Kind::Snapshot => "snapshot",
    }
}

/// What belongs to the VM and is no object: bytes by name.
pub fn blocks(census: &Census) -> Value {
    let blocks = census.blocks.iter();
    Value::Table(
        blocks
            .map(|(name, bytes)| (name.clone(), integer(*bytes)))
            .collect(),
    )
}

/// A number of objects, and their bytes.
pub fn tally(tally: Tally) -> Value {
    Value::Table(vec![
        ("count".into(), integer(tally.count)),
        ("bytes".into(), integer(tally.bytes)),
    ])
}

/// A string.
pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// No heap has more than an `i64` can count.
pub fn integer(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}
