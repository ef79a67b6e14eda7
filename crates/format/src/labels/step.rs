//! The steps of a path, for text and JSON.

use crate::labels::digits::{push_address, push_decimal};
use luasnap_heap::{Heap, Kind, Label};
use std::io::Write;

/// A step: a name, and the text around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) open: &'static str,
    pub(crate) name: &'a [u8],
    pub(crate) close: &'static str,
}

impl<'a> Step<'a> {
    fn bracketed(name: &'a [u8]) -> Self {
        Step {
            open: "[",
            name,
            close: "]",
        }
    }

    fn quoted(name: &'a [u8]) -> Self {
        Step {
            open: "[\"",
            name,
            close: "\"]",
        }
    }

    fn fixed(text: &'static str) -> Self {
        Step {
            open: text,
            name: b"",
            close: "",
        }
    }

    fn named(name: &'a [u8]) -> Self {
        Step {
            open: "",
            name,
            close: "",
        }
    }

    /// Returns the step of a label as answers have it: a key that could be mistaken for several steps, or for none, is
    /// quoted. `digits` is a buffer for numbers and addresses.
    pub(crate) fn in_answers(heap: &'a Heap, label: Label, digits: &'a mut Vec<u8>) -> Self {
        match label {
            Label::Field(name) if is_mistakable(heap.name(name)) => Step::quoted(heap.name(name)),
            label => Step::new(heap, label, digits),
        }
    }

    /// Returns the step of a label as the eleven functions and the files for other tools have it. `digits` is a buffer
    /// for numbers and addresses.
    #[inline]
    pub(crate) fn new(heap: &'a Heap, label: Label, digits: &'a mut Vec<u8>) -> Self {
        match label {
            // Otherwise the key could be mistaken for one that is not a string.
            Label::Field(name) if heap.name(name).first() == Some(&b'[') => {
                Step::quoted(heap.name(name))
            }
            Label::Field(name) | Label::Root(name) => Step::named(heap.name(name)),
            Label::Upvalue(name) if heap.name(name).is_empty() => Step::fixed("[upvalue]"),
            Label::Upvalue(name) => Step::named(heap.name(name)),
            Label::Local(name) => Step::bracketed(heap.name(name)),
            Label::Boolean(true) => Step::fixed("[true]"),
            Label::Boolean(false) => Step::fixed("[false]"),
            Label::Key => Step::fixed("[key]"),
            Label::Metatable => Step::fixed("[metatable]"),
            Label::Environment => Step::fixed("[environment]"),
            Label::UserValue(1) => Step::fixed("[userdata]"),
            Label::Prototype => Step::fixed("[prototype]"),
            Label::Constant => Step::fixed("[constant]"),
            Label::DebugName => Step::fixed("[debug name]"),
            Label::Value => Step::fixed("[value]"),
            Label::Trace => Step::fixed("[trace]"),
            label => {
                digits.clear();
                push_digits(digits, heap, label);
                Step::bracketed(digits)
            }
        }
    }
}

/// Whether a key could be mistaken for several steps, for one of a pattern, for a gap, or for none.
fn is_mistakable(key: &[u8]) -> bool {
    let is_mark =
        |byte: &u8| matches!(byte, b'.' | b'[' | b']' | b'"') || byte.is_ascii_whitespace();
    key.is_empty()
        || key == b"*"
        || key.iter().any(is_mark)
        || key.windows(GAP.len()).any(|part| part == GAP.as_bytes())
}

/// What stands for steps, or letters, that are left out.
pub(crate) const GAP: &str = "…";

/// Appends what is between the brackets of a step that is a number or an address.
fn push_digits(out: &mut Vec<u8>, heap: &Heap, label: Label) {
    match label {
        Label::Index(value) => {
            if value < 0 {
                out.push(b'-');
            }
            push_decimal(out, value.unsigned_abs());
        }
        // The shortest digits that read back as the same number.
        Label::Number(value) => {
            write!(out, "{value:?}").expect("a Vec never fails");
        }
        Label::Object(key) => push_object(out, heap.kind(key), heap.address(key)),
        Label::Address(kind, address) => push_object(out, kind, address),
        Label::UserValue(number) => {
            out.extend_from_slice(b"userdata:");
            push_decimal(out, u64::from(number));
        }
        _ => {}
    }
}

/// Appends an object as Lua's `tostring` shows it, without the space.
pub(crate) fn push_object(out: &mut Vec<u8>, kind: Kind, address: u64) {
    out.extend_from_slice(kind.type_name().as_bytes());
    out.push(b':');
    push_address(out, address);
}
