//! Values, and the kinds of objects.

use crate::layout::jit::THREAD;
use luasnap_heap::Kind;

/// First bit of a value's tag, above the 47 bits of an address.
const SHIFT: u32 = 47;
/// The bits of an address.
const ADDRESS: u64 = (1 << SHIFT) - 1;

/// A value of 8 bytes: a double, or a tag with an address below it. The tags are negative numbers
/// (`LJ_TNIL` is `~0`), which make the double a NaN that no computation gives. Values of builds with
/// references of 32 bits are rewritten to be like those of others, where tags have 17 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Value(pub(super) u64);

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ValueType {
    Nil,
    Boolean,
    LightUserdata,
    /// An object.
    Object,
    /// An integer of 32 bits, in builds that have them (`LJ_DUALNUM`).
    Integer,
    Double,
}

/// `~LJ_TTRUE`.
const TRUE: u32 = 2;
/// `~LJ_TSTR` and `~LJ_TUDATA`: the first and the last that are objects.
const STRING: u32 = 4;
const USERDATA: u32 = 12;
/// `~LJ_TUPVAL`, `~LJ_TFUNC`, `~LJ_TTAB`.
const UPVALUE: u32 = 5;
const FUNCTION: u32 = 8;
const TABLE: u32 = 11;
/// `~LJ_TTAB`, as an object's header has it.
pub(crate) const TABLE_OBJECT: u8 = TABLE as u8;

impl Value {
    /// The tag's number: `~itype`.
    #[inline]
    fn number(self) -> u32 {
        (!self.0 >> SHIFT) as u32
    }

    #[inline]
    pub(super) fn value_type(self) -> ValueType {
        match self.number() {
            0 => ValueType::Nil,
            1 | TRUE => ValueType::Boolean,
            3 => ValueType::LightUserdata,
            STRING..=USERDATA => ValueType::Object,
            13 => ValueType::Integer,
            _ => ValueType::Double,
        }
    }

    /// The value that 8 bytes are in a build with references of 32 bits: a double, or a tag of 32
    /// bits above a reference, or above any bits where the type has only one value. Light userdata
    /// alone have 47 bits and a shorter tag.
    #[inline]
    pub(super) fn of_narrow(bits: u64) -> Value {
        // The greatest that is no tag: `LJ_TISNUM`, which is the tag of integers.
        const INTEGER: u32 = 0xfffe_ffff;
        const LIGHT_USERDATA: i64 = -2;
        let tagged = |number: u32, low: u64| Value(!u64::from(number) << SHIFT | low);
        let (tag, low) = ((bits >> 32) as u32, bits & u64::from(u32::MAX));
        match !tag {
            _ if tag < INTEGER => Value(bits),
            _ if tag == INTEGER => tagged(13, low),
            number @ ..=TRUE => tagged(number, ADDRESS),
            number @ STRING..=USERDATA => tagged(number, low),
            _ if bits as i64 >> SHIFT == LIGHT_USERDATA => tagged(3, bits & ADDRESS),
            // No value has it: an object that does not exist.
            _ => tagged(UPVALUE, 0),
        }
    }

    /// What the lower half of a frame's only slot refers to.
    pub(super) fn of_callee(bits: u64) -> Value {
        Value(!u64::from(FUNCTION) << SHIFT | bits & u64::from(u32::MAX))
    }

    /// The same of a slot that may have a value instead. A frame's link, which is an address or a
    /// distance, is never like a tag. Writing nil or a boolean writes the tag alone, so that below it
    /// there may still be the function of a call that is over.
    pub(super) fn of_possible_callee(bits: u64) -> Option<Value> {
        let is_untagged = Value::of_narrow(bits).value_type() == ValueType::Double;
        is_untagged.then(|| Value::of_callee(bits))
    }

    /// Address of the object, if it is one.
    #[inline]
    pub(super) fn object(self) -> Option<u64> {
        let is_object = (STRING..=USERDATA).contains(&self.number());
        is_object.then_some(self.address())
    }

    /// Address of the function, if it is one.
    pub(super) fn function(self) -> Option<u64> {
        (self.number() == FUNCTION).then_some(self.address())
    }

    /// Address of the table, if it is one.
    pub(crate) fn table(self) -> Option<u64> {
        (self.number() == TABLE).then_some(self.address())
    }

    #[inline]
    pub(super) fn is_nil(self) -> bool {
        self.0 == u64::MAX
    }

    pub(super) fn is_true(self) -> bool {
        self.number() == TRUE
    }

    /// The bits below the tag.
    #[inline]
    pub(super) fn address(self) -> u64 {
        self.0 & ADDRESS
    }
}

/// Whether a value's tag fits an object of this kind.
pub(super) fn agree(value: Value, of: Kind) -> bool {
    match kind(value.number() as u8) {
        Some(Kind::LuaFunction) => matches!(of, Kind::LuaFunction | Kind::CFunction),
        Some(Kind::Userdata) => matches!(of, Kind::Userdata | Kind::Snapshot),
        said => said == Some(of),
    }
}

/// Kind of an object by the type in its header (`gct`). Lua and C functions have the same type.
#[inline]
pub(super) fn kind(object_type: u8) -> Option<Kind> {
    Some(match object_type {
        4 => Kind::String,
        5 => Kind::Upvalue,
        THREAD => Kind::Thread,
        7 => Kind::Prototype,
        8 => Kind::LuaFunction,
        9 => Kind::Trace,
        10 => Kind::Cdata,
        11 => Kind::Table,
        12 => Kind::Userdata,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_references_of_32_bits_become_like_others() {
        let narrow = |tag: u32, low: u32| Value::of_narrow(u64::from(!tag) << 32 | u64::from(low));
        // Below the tag of a type with one value there may be anything.
        assert!(narrow(0, 0).is_nil() && narrow(0, 0x1234).is_nil());
        assert_eq!(narrow(1, 7), narrow(1, 0));
        assert!(narrow(2, 0).is_true() && !narrow(1, 0).is_true());
        let table = narrow(11, 0x4000_1238);
        assert_eq!((table.table(), table.function()), (Some(0x4000_1238), None));
        assert_eq!(narrow(4, 0xfffe_fff8).object(), Some(0xfffe_fff8));
        let light = Value::of_narrow(0xffff_0000_0000_0000 | 0x7fff_1234_5678);
        assert_eq!(light.value_type(), ValueType::LightUserdata);
        assert_eq!(light.address(), 0x7fff_1234_5678);
        let integer = Value::of_narrow(0xfffe_ffff << 32 | 0xffff_fffe);
        assert_eq!(
            (integer.value_type(), integer.0 as i32),
            (ValueType::Integer, -2)
        );
        for number in [
            0.0,
            1.5,
            -1.5,
            f64::INFINITY,
            f64::NEG_INFINITY,
            5e-324,
            f64::NAN,
        ] {
            assert_eq!(Value::of_narrow(number.to_bits()), Value(number.to_bits()));
        }
        // Tags that no value has.
        for tag in [3, 13, 14, 0x7fff] {
            assert_eq!(narrow(tag, 8).object(), Some(0), "{tag}");
        }
    }

    #[test]
    fn only_slots_without_a_tag_may_be_frames() {
        let callee = |high: u32| {
            let slot = u64::from(high) << 32 | 0x4000_1238;
            Value::of_possible_callee(slot).and_then(Value::function)
        };
        // The distance to another frame, and addresses of code.
        for link in [0x20, 0x4001_2344, 0x7fff_fffc, 0xc000_0000] {
            assert_eq!(callee(link), Some(0x4000_1238), "{link:#x}");
        }
        // What is below the tags of values without an address is left of what was there before;
        // that of those with an address is taken as a value.
        for tag in 0..=13 {
            assert_eq!(callee(!tag), None, "{tag}");
        }
    }

    #[test]
    fn values_are_told_apart() {
        let tagged = |tag: u64, rest: u64| Value(!tag << SHIFT | rest);
        assert_eq!(Value(u64::MAX).value_type(), ValueType::Nil);
        assert!(Value(u64::MAX).is_nil());
        let [no, yes] = [1, 2].map(|tag| tagged(tag, ADDRESS));
        assert_eq!((no.value_type(), no.is_true()), (ValueType::Boolean, false));
        assert_eq!(
            (yes.value_type(), yes.is_true()),
            (ValueType::Boolean, true)
        );
        let table = tagged(11, 0x7f00_1234_5678);
        assert_eq!(table.value_type(), ValueType::Object);
        assert_eq!(table.object(), Some(0x7f00_1234_5678));
        assert_eq!(table.table(), table.object());
        assert_eq!(table.function(), None);
        assert_eq!(tagged(13, 7).value_type(), ValueType::Integer);
        for number in [0.0, 1.5, -1.5, f64::INFINITY, f64::NEG_INFINITY, 5e-324] {
            assert_eq!(Value(number.to_bits()).value_type(), ValueType::Double);
        }
        // The NaN that the processor makes.
        let none = Value(0xfff8_0000_0000_0000);
        assert_eq!(none.value_type(), ValueType::Double);
        assert_eq!(none.object(), None);
    }
}
