//! Labels that do not fit 32 bits, as a tag of 8 bits and a value of 64 bits.

use luasnap_heap::{Kind, Label, NameId, NodeId};

/// Tags from here on are of [`Label::Address`]; the kind is added.
const ADDRESS: u8 = 32;

/// Returns the tag and the value of a label.
pub(super) fn tag_and_value(label: Label) -> (u8, u64) {
    match label {
        Label::Field(name) => (0, u64::from(name.0)),
        Label::Index(index) => (1, index as u64),
        Label::Boolean(value) => (2, u64::from(value)),
        Label::Object(node) => (3, u64::from(node.0)),
        Label::Key => (4, 0),
        Label::Metatable => (5, 0),
        Label::UserValue(number) => (6, u64::from(number)),
        Label::Environment => (7, 0),
        Label::Upvalue(name) => (8, u64::from(name.0)),
        Label::Local(name) => (9, u64::from(name.0)),
        Label::Root(name) => (10, u64::from(name.0)),
        Label::Number(number) => (12, number.to_bits()),
        Label::Prototype => (16, 0),
        Label::Constant => (17, 0),
        Label::DebugName => (18, 0),
        Label::Value => (19, 0),
        Label::Trace => (20, 0),
        Label::Address(kind, address) => (ADDRESS + kind as u8, address),
    }
}

/// Returns the label with this tag and value; `None` if they have no meaning.
pub(super) fn label(tag: u8, value: u64) -> Option<Label> {
    let id = u32::try_from(value).ok();
    Some(match tag {
        0 => Label::Field(NameId(id?)),
        1 => Label::Index(value as i64),
        2 => Label::Boolean(value != 0),
        3 => Label::Object(NodeId(id?)),
        4 => Label::Key,
        5 => Label::Metatable,
        6 => Label::UserValue(u16::try_from(value).ok()?),
        7 => Label::Environment,
        8 => Label::Upvalue(NameId(id?)),
        9 => Label::Local(NameId(id?)),
        10 => Label::Root(NameId(id?)),
        12 => Label::Number(f64::from_bits(value)),
        16 => Label::Prototype,
        17 => Label::Constant,
        18 => Label::DebugName,
        19 => Label::Value,
        20 => Label::Trace,
        _ => Label::Address(Kind::from_number(tag.checked_sub(ADDRESS)?)?, value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_that_has_a_meaning_comes_back() {
        let mut known = 0;
        for tag in 0..=u8::MAX {
            if let Some(label) = label(tag, 1) {
                let (same_tag, value) = tag_and_value(label);
                assert_eq!(same_tag, tag);
                assert_eq!(super::label(tag, value), Some(label));
                known += 1;
            }
        }
        assert_eq!(known, 17 + 12);
        for label in [
            Label::Index(-5),
            Label::Number(0.5),
            Label::Address(Kind::Cdata, u64::MAX),
        ] {
            let (tag, value) = tag_and_value(label);
            assert_eq!(super::label(tag, value), Some(label));
        }
        assert_eq!(label(0, 1 << 32), None);
        assert_eq!(label(6, 1 << 16), None);
    }
}
