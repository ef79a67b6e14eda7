//! What a reference is called, and how it is packed into 32 bits.

use crate::graph::kind::Kind;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::strength::Strength;

/// What a reference is: the step that it adds to a path.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Label {
    /// The value under a string key.
    Field(NameId),
    /// The value under an integer key.
    Index(i64),
    /// The value under a key that is a number and no integer.
    Number(f64),
    /// The value under `true` or `false`.
    Boolean(bool),
    /// The value under a key that is itself an object of this heap.
    Object(NodeId),
    /// The value under a key that is an object or a light userdata which is no node of this
    /// heap: its kind and its address.
    Address(Kind, u64),
    /// The object is itself a key of the table.
    Key,
    /// The object's metatable.
    Metatable,
    /// The user value of a userdata; the first is number 1.
    UserValue(u16),
    /// The environment of a function, userdata or thread (5.1, LuaJIT).
    Environment,
    /// An upvalue; the empty name where the VM knows none.
    Upvalue(NameId),
    /// A slot of a thread's stack: the name is `NAME:SHORT_SRC`.
    Local(NameId),
    /// A root: the name is printed as it stands.
    Root(NameId),
    /// The prototype of a function, of the functions in it, or of a trace.
    Prototype,
    /// A constant of a prototype or a trace, or what else the VM alone sees: no reference that the
    /// `objects` view shows.
    Constant,
    /// A name that a prototype has for messages: its source, its locals', its upvalues'.
    DebugName,
    /// The value of an upvalue.
    Value,
    /// A trace of a prototype, or one that another trace leads to (LuaJIT).
    Trace,
}

impl Label {
    /// The label of the value under a number key that is a double: integers are integers, also
    /// where the VM has none (5.1, 5.2, LuaJIT).
    pub fn of_number(number: f64) -> Label {
        // 2^53: up to there a double tells every integer from its neighbours.
        let is_integer = number.trunc() == number && number.abs() <= 9_007_199_254_740_992.0;
        match is_integer {
            true => Label::Index(number as i64),
            false => Label::Number(number),
        }
    }

    /// The name that it is, where it is one of the heap's.
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

/// A label and a strength in 32 bits: 2 of strength, 4 of tag, 26 of payload. What does not fit
/// lies in a side table, and the payload is its place there.
///
/// Snapshot files have the same bits: a number, once given, keeps its meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// The labels of what only the VM itself sees; which one is in the payload.
    pub const INNER: u32 = 11;
    pub const WIDE: u32 = 15;
}

/// Payloads beside `tag::INNER`.
mod inner {
    pub const CONSTANT: u32 = 1;
    pub const LAST: u32 = 4;
}

impl PackedLabel {
    /// Packs a label, or gives it back when it needs the side table.
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

    /// The bits: the strength above [`STRENGTH_SHIFT`](Self::STRENGTH_SHIFT), the tag above
    /// [`TAG_SHIFT`](Self::TAG_SHIFT), and the payload.
    #[inline]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Where the bits of the tag begin.
    pub const TAG_SHIFT: u32 = PAYLOAD_BITS;
    /// Where the bits of the strength begin.
    pub const STRENGTH_SHIFT: u32 = PAYLOAD_BITS + 4;
    /// The tag of a label in the side table.
    pub const WIDE_TAG: u32 = tag::WIDE;

    /// The packed label with these bits; `None` where they have no meaning.
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

    /// The place in the side table, of a label that lies there.
    #[inline]
    pub fn wide_place(self) -> Option<usize> {
        let payload = self.0 & PAYLOAD_MAX as u32;
        (self.0 >> PAYLOAD_BITS & 15 == tag::WIDE).then_some(payload as usize)
    }

    /// The packed form of the side table's label number `place`; `None` past its end.
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

    /// Whether it means the same in every heap that has the same names: it names no node and has
    /// nothing in a side table.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        !matches!(self.0 >> PAYLOAD_BITS & 15, tag::OBJECT | tag::WIDE)
    }

    /// Whether it is that of a reference to a metatable.
    #[inline]
    pub(crate) fn is_metatable(self) -> bool {
        self.0 << 2 == tag::METATABLE << PAYLOAD_BITS << 2
    }

    /// Whether it is that of a reference which the VM alone sees.
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
