//! Labels of references, and how they are packed into 32 bits.

use crate::graph::kind::Kind;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::strength::Strength;

/// The label of a reference: the step that it adds to a path.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Label {
    /// The value under a string key.
    Field(NameId),
    /// The value under an integer key.
    Index(i64),
    /// The value under a key that is a number but not an integer.
    Number(f64),
    /// The value under `true` or `false`.
    Boolean(bool),
    /// The value under a key that is an object of this heap.
    Object(NodeId),
    /// The value under a key that is not a node of this heap (an object, or a light userdata): kind and
    /// address of the key.
    Address(Kind, u64),
    /// The object is itself a key of the table.
    Key,
    /// The object's metatable.
    Metatable,
    /// A user value of a userdata, from number 1 on.
    UserValue(u16),
    /// The environment of a function, userdata or thread (5.1, LuaJIT).
    Environment,
    /// An upvalue; the name is empty if the VM knows none.
    Upvalue(NameId),
    /// A slot of a thread's stack: the name is `NAME:SHORT_SRC`.
    Local(NameId),
    /// A GC root; the name is printed as it is.
    Root(NameId),
    /// The prototype of a function, of the functions in it, or of a trace.
    Prototype,
    /// A constant of a prototype or a trace, or another reference that only the VM sees. The `objects` view
    /// does not show it.
    Constant,
    /// A name that a prototype keeps for messages: of its source, a local variable or an upvalue.
    DebugName,
    /// The value of an upvalue.
    Value,
    /// A trace of a prototype, or one that another trace leads to (LuaJIT).
    Trace,
}

impl Label {
    /// Returns the label of the value under a number key, given as a double. Integers become
    /// [`Label::Index`], also in VMs without integers (5.1, 5.2, LuaJIT).
    pub fn of_number(number: f64) -> Label {
        // 2^53: up to there every integer has a double of its own.
        let is_integer = number.trunc() == number && number.abs() <= 9_007_199_254_740_992.0;
        match is_integer {
            true => Label::Index(number as i64),
            false => Label::Number(number),
        }
    }

    /// Returns the name in the label, if it has one.
    #[inline]
    pub fn name(self) -> Option<NameId> {
        match self {
            Label::Field(name) | Label::Upvalue(name) | Label::Local(name) | Label::Root(name) => {
                Some(name)
            }
            _ => None,
        }
    }
}

/// A label and a strength in 32 bits: 2 of strength, 4 of tag, 26 of payload. A label that does not fit is
/// in a side table, and the payload is its place there.
///
/// Snapshot files have the same bits, so a number keeps its meaning forever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct PackedLabel(u32);

const PAYLOAD_BITS: u32 = 26;
const PAYLOAD_MAX: u64 = (1 << PAYLOAD_BITS) - 1;

mod tag {
    pub const FIELD: u32 = 0;
    pub const INDEX: u32 = 1;
    pub const BOOLEAN: u32 = 2;
    pub const OBJECT: u32 = 3;
    pub const KEY: u32 = 4;
    pub const METATABLE: u32 = 5;
    pub const USER_VALUE: u32 = 6;
    pub const ENVIRONMENT: u32 = 7;
    pub const UPVALUE: u32 = 8;
    pub const LOCAL: u32 = 9;
    pub const ROOT: u32 = 10;
    /// The labels of references that only the VM sees; the payload says which one.
    pub const INNER: u32 = 11;
    pub const WIDE: u32 = 15;
}

/// Payloads of `tag::INNER`.
mod inner {
    pub const CONSTANT: u32 = 1;
    pub const LAST: u32 = 4;
}

impl PackedLabel {
    /// Packs a label; `None` if it needs the side table.
    #[inline(always)]
    pub(crate) fn pack(label: Label, strength: Strength) -> Option<PackedLabel> {
        let (tag, payload) = match label {
            Label::Field(name) => (tag::FIELD, u64::from(name.0)),
            Label::Index(index) => (tag::INDEX, u64::try_from(index).ok()?),
            Label::Boolean(value) => (tag::BOOLEAN, u64::from(value)),
            Label::Object(node) => (tag::OBJECT, u64::from(node.0)),
            Label::Key => (tag::KEY, 0),
            Label::Metatable => (tag::METATABLE, 0),
            Label::UserValue(number) => (tag::USER_VALUE, u64::from(number)),
            Label::Environment => (tag::ENVIRONMENT, 0),
            Label::Upvalue(name) => (tag::UPVALUE, u64::from(name.0)),
            Label::Local(name) => (tag::LOCAL, u64::from(name.0)),
            Label::Root(name) => (tag::ROOT, u64::from(name.0)),
            Label::Prototype => (tag::INNER, 0),
            Label::Constant => (tag::INNER, u64::from(inner::CONSTANT)),
            Label::DebugName => (tag::INNER, 2),
            Label::Value => (tag::INNER, 3),
            Label::Trace => (tag::INNER, 4),
            Label::Number(_) | Label::Address(..) => return None,
        };
        (payload <= PAYLOAD_MAX).then(|| Self::assemble(strength, tag, payload as u32))
    }

    /// Returns the bits: the strength above [`STRENGTH_SHIFT`](Self::STRENGTH_SHIFT), the tag above
    /// [`TAG_SHIFT`](Self::TAG_SHIFT), and the payload.
    #[inline]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The lowest bit of the tag.
    pub const TAG_SHIFT: u32 = PAYLOAD_BITS;
    /// The lowest bit of the strength.
    pub const STRENGTH_SHIFT: u32 = PAYLOAD_BITS + 4;
    /// The tag of a label in the side table.
    pub const WIDE_TAG: u32 = tag::WIDE;

    /// Returns the packed label with these bits; `None` if they have no meaning.
    #[inline]
    pub fn from_bits(bits: u32) -> Option<PackedLabel> {
        let payload = bits & PAYLOAD_MAX as u32;
        let most = match bits >> PAYLOAD_BITS & 15 {
            tag::FIELD | tag::INDEX | tag::OBJECT | tag::UPVALUE | tag::LOCAL | tag::ROOT => {
                PAYLOAD_MAX as u32
            }
            tag::WIDE => PAYLOAD_MAX as u32,
            tag::BOOLEAN => 1,
            tag::KEY | tag::METATABLE | tag::ENVIRONMENT => 0,
            tag::USER_VALUE => u32::from(u16::MAX),
            tag::INNER => inner::LAST,
            _ => return None,
        };
        (payload <= most).then_some(PackedLabel(bits))
    }

    /// Returns the place in the side table, if the label is there.
    #[inline]
    pub fn wide_place(self) -> Option<usize> {
        let payload = self.0 & PAYLOAD_MAX as u32;
        (self.0 >> PAYLOAD_BITS & 15 == tag::WIDE).then_some(payload as usize)
    }

    /// Returns the packed form of label number `place` of the side table; `None` if the number is too large.
    pub(crate) fn wide(place: usize, strength: Strength) -> Option<PackedLabel> {
        (place as u64 <= PAYLOAD_MAX).then(|| Self::assemble(strength, tag::WIDE, place as u32))
    }

    fn assemble(strength: Strength, tag: u32, payload: u32) -> PackedLabel {
        PackedLabel((strength as u32) << 30 | tag << PAYLOAD_BITS | payload)
    }

    #[inline]
    pub(crate) fn strength(self) -> Strength {
        match self.0 >> 30 {
            0 => Strength::Strong,
            1 => Strength::WeakKey,
            2 => Strength::WeakValue,
            _ => Strength::Ephemeron,
        }
    }

    /// Whether it means the same in every heap with the same names: it refers to no node and is not in a
    /// side table.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        !matches!(self.0 >> PAYLOAD_BITS & 15, tag::OBJECT | tag::WIDE)
    }

    /// Whether the reference is to a metatable.
    #[inline]
    pub(crate) fn is_metatable(self) -> bool {
        self.0 << 2 == tag::METATABLE << PAYLOAD_BITS << 2
    }

    /// Whether only the VM sees the reference.
    #[inline]
    pub(crate) fn is_constant(self) -> bool {
        self.0 << 2 == (tag::INNER << PAYLOAD_BITS | inner::CONSTANT) << 2
    }

    #[inline]
    pub(crate) fn unpack(self, wide: &[Label]) -> Label {
        let payload = self.0 & PAYLOAD_MAX as u32;
        match self.0 >> PAYLOAD_BITS & 15 {
            tag::FIELD => Label::Field(NameId(payload)),
            tag::INDEX => Label::Index(i64::from(payload)),
            tag::BOOLEAN => Label::Boolean(payload != 0),
            tag::OBJECT => Label::Object(NodeId(payload)),
            tag::KEY => Label::Key,
            tag::METATABLE => Label::Metatable,
            tag::USER_VALUE => Label::UserValue(payload as u16),
            tag::ENVIRONMENT => Label::Environment,
            tag::UPVALUE => Label::Upvalue(NameId(payload)),
            tag::LOCAL => Label::Local(NameId(payload)),
            tag::ROOT => Label::Root(NameId(payload)),
            tag::INNER => match payload {
                0 => Label::Prototype,
                inner::CONSTANT => Label::Constant,
                2 => Label::DebugName,
                3 => Label::Value,
                _ => Label::Trace,
            },
            _ => wide[payload as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_comes_back_and_the_rest_is_refused() {
        for strength in [
            Strength::Strong,
            Strength::WeakKey,
            Strength::WeakValue,
            Strength::Ephemeron,
        ] {
            for label in [
                Label::Field(NameId(7)),
                Label::Index(0),
                Label::Index((1 << 26) - 1),
                Label::Boolean(true),
                Label::Object(NodeId(3)),
                Label::Key,
                Label::Metatable,
                Label::UserValue(u16::MAX),
                Label::Environment,
                Label::Upvalue(NameId::EMPTY),
                Label::Local(NameId(9)),
                Label::Root(NameId(1)),
                Label::Prototype,
                Label::Constant,
                Label::DebugName,
                Label::Value,
                Label::Trace,
            ] {
                let packed = PackedLabel::pack(label, strength).unwrap();
                assert_eq!(packed.unpack(&[]), label);
                assert_eq!(PackedLabel::from_bits(packed.bits()), Some(packed));
                assert_eq!(packed.wide_place(), None);
                assert_eq!(packed.is_constant(), label == Label::Constant);
                assert_eq!(packed.is_metatable(), label == Label::Metatable);
                assert_eq!(packed.strength(), strength);
            }
            let side = [Label::Number(0.5), Label::Index(-1)];
            for (place, label) in side.iter().enumerate() {
                assert_eq!(PackedLabel::pack(*label, strength), None);
                let packed = PackedLabel::wide(place, strength).unwrap();
                assert_eq!(packed.unpack(&side), *label);
                assert_eq!(PackedLabel::from_bits(packed.bits()), Some(packed));
                assert_eq!(packed.wide_place(), Some(place));
                assert_eq!(packed.strength(), strength);
            }
        }
        assert_eq!(
            PackedLabel::pack(Label::Index(1 << 26), Strength::Strong),
            None
        );
        assert_eq!(
            PackedLabel::pack(Label::Object(NodeId(1 << 26)), Strength::Strong),
            None
        );
    }
}
