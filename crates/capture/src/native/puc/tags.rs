//! Type tags: of objects and of values.

use crate::layout::puc::THREAD;
use crate::layout::{ABSENT, PucLayout};
use crate::version::Version;
use luasnap_heap::Kind;

/// Type of an object, as its header tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ObjectType {
    /// In 5.1 also a long string: there is no difference.
    ShortString,
    LongString,
    Table,
    /// In 5.1 and 5.2.0, where a field of the closure tells whether it is a C function.
    Closure,
    LuaClosure,
    CClosure,
    Userdata,
    Thread,
    Prototype,
    Upvalue,
}

/// `LUA_TLCF`, `LUA_VLCF`: a C function that is a plain pointer (5.2 and later).
pub(crate) const LIGHT_FUNCTION: u8 = 22;
/// `LUA_TLIGHTUSERDATA`.
pub(crate) const LIGHT_USERDATA: u8 = 2;
/// `LUA_TTABLE` as a value, and as an object's header has it.
pub(crate) const TABLE: u8 = 5;
/// `BIT_ISCOLLECTABLE` (5.2 and later).
const COLLECTABLE: u8 = 1 << 6;

/// Type of an object by its header's tag.
#[inline]
pub(crate) fn object_type(layout: &PucLayout, tag: u8) -> Option<ObjectType> {
    let version = layout.version;
    let is_51 = version == Version::Lua51;
    Some(match tag {
        4 => ObjectType::ShortString,
        20 if !is_51 => ObjectType::LongString,
        TABLE => ObjectType::Table,
        6 if layout.closure.is_c != ABSENT => ObjectType::Closure,
        6 => ObjectType::LuaClosure,
        38 if !is_51 => ObjectType::CClosure,
        7 => ObjectType::Userdata,
        THREAD => ObjectType::Thread,
        9 if version <= Version::Lua53 => ObjectType::Prototype,
        10 if version <= Version::Lua52 => ObjectType::Upvalue,
        9 => ObjectType::Upvalue,
        10 if version >= Version::Lua54 => ObjectType::Prototype,
        _ => return None,
    })
}

/// Type of a value, as far as a heap cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ValueType {
    Nil,
    /// An object.
    Object,
    /// A C function that is a plain pointer.
    LightFunction,
    LightUserdata,
    Boolean,
    Integer,
    Float,
    /// A dead key, or a tag that no value has.
    Other,
}

/// Type of a value by the low byte of its tag, which is enough.
#[inline]
pub(crate) fn value_type(version: Version, tag: u8) -> ValueType {
    if version == Version::Lua51 {
        return match tag {
            0 => ValueType::Nil,
            1 => ValueType::Boolean,
            LIGHT_USERDATA => ValueType::LightUserdata,
            3 => ValueType::Float,
            // Prototypes lie on the stack while they are compiled.
            4..=10 => ValueType::Object,
            _ => ValueType::Other,
        };
    }
    if tag & COLLECTABLE != 0 {
        return ValueType::Object;
    }
    match (tag, version) {
        (LIGHT_FUNCTION, _) => ValueType::LightFunction,
        (LIGHT_USERDATA, _) => ValueType::LightUserdata,
        // `false`, and `true` of 5.4 and later.
        (1 | 17, _) => ValueType::Boolean,
        (3, Version::Lua52) => ValueType::Float,
        // 5.4 swapped the two.
        (3, Version::Lua53) | (19, Version::Lua54 | Version::Lua55) => ValueType::Float,
        (19, Version::Lua53) | (3, Version::Lua54 | Version::Lua55) => ValueType::Integer,
        // 5.4 has several kinds of nil.
        (0 | 16 | 32 | 48, _) => ValueType::Nil,
        _ => ValueType::Other,
    }
}

/// Whether a value's tag fits an object of this kind.
pub(crate) fn agree(tag: u8, kind: Kind) -> bool {
    match tag & 0x0f {
        4 => kind == Kind::String,
        TABLE => kind == Kind::Table,
        6 => matches!(kind, Kind::LuaFunction | Kind::CFunction),
        7 => matches!(kind, Kind::Userdata | Kind::Snapshot),
        THREAD => kind == Kind::Thread,
        _ => kind == Kind::Prototype,
    }
}

/// Whether a value's tag is that of a table.
pub(crate) fn is_table(version: Version, tag: u8) -> bool {
    tag == TABLE
        | if version == Version::Lua51 {
            0
        } else {
            COLLECTABLE
        }
}
