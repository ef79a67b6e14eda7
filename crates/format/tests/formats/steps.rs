//! The steps of paths.

use crate::fixture::{Fixture, written};
use luasnap_format::write_text;
use luasnap_heap::{Kind, Label, NameId, NodeId};
use proptest::prelude::*;

/// Returns the step for a label.
fn step(label: impl FnOnce(&mut Fixture) -> Label) -> String {
    let mut fixture = Fixture::new("", 0x10, 1);
    let label = label(&mut fixture);
    fixture.under(fixture.root, label, Kind::Table, 0x20, 0);
    let text = written(write_text, &fixture.finish());
    text.trim_end_matches('\n')
        .rsplit_once("\t.")
        .unwrap()
        .1
        .to_owned()
}

#[test]
fn every_label_has_its_step() {
    for (label, expected) in [
        (Label::Index(1), "[1]"),
        (Label::Index(i64::MIN), "[-9223372036854775808]"),
        (Label::Index(i64::MAX), "[9223372036854775807]"),
        (Label::Number(0.5), "[0.5]"),
        (Label::Number(-0.1), "[-0.1]"),
        (Label::Number(5e-324), "[5e-324]"),
        (Label::Number(1e300), "[1e300]"),
        (
            Label::Number(9_007_199_254_740_994.0),
            "[9007199254740994.0]",
        ),
        (Label::Number(f64::INFINITY), "[inf]"),
        (Label::Number(f64::NEG_INFINITY), "[-inf]"),
        (Label::Boolean(true), "[true]"),
        (Label::Boolean(false), "[false]"),
        (Label::Object(NodeId(1)), "[table:0x10]"),
        (Label::Address(Kind::Userdata, 0xAB), "[userdata:0xab]"),
        (Label::Address(Kind::CFunction, 0xAB), "[function:0xab]"),
        (Label::Key, "[key]"),
        (Label::Metatable, "[metatable]"),
        (Label::UserValue(1), "[userdata]"),
        (Label::UserValue(2), "[userdata:2]"),
        (Label::UserValue(u16::MAX), "[userdata:65535]"),
        (Label::Environment, "[environment]"),
        (Label::Upvalue(NameId::EMPTY), "[upvalue]"),
    ] {
        assert_eq!(step(|_| label), expected);
    }
    for (sort, expected) in [
        (Label::Field as fn(NameId) -> Label, r#"["[1]"]"#),
        (Label::Upvalue, "[1]"),
        (Label::Local, "[[1]]"),
        (Label::Root, "[1]"),
    ] {
        assert_eq!(
            step(|fixture| sort(fixture.builder.name(b"[1]").unwrap())),
            expected
        );
    }
    assert_eq!(
        step(|fixture| Label::Local(fixture.builder.name(b"x:main.lua").unwrap())),
        "[x:main.lua]"
    );
}

proptest! {
    #[test]
    fn a_float_is_read_as_the_same_float(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(!value.is_nan());
        let step = step(|_| Label::Number(value));
        let digits = step.trim_matches(['[', ']']);
        prop_assert_eq!(digits.parse::<f64>().unwrap().to_bits(), bits);
    }
}
