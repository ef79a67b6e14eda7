//! Changes of LuaJIT.

use super::replacement::Meaning;
use crate::mutants::mutant::Change;

pub const MEANINGS: &[Meaning] = &[
    (
        "hash/function",
        Change::Inner,
        &[(
            "lj_str.c",
            "h ^= b; h -= lj_rol(b, 14);",
            "h += b; h -= lj_rol(b, 13);",
        )],
    ),
    (
        "hash/dense-off",
        Change::Inner,
        &[(
            "lj_arch.h",
            "#include \"lua.h\"",
            "#define LUAJIT_SECURITY_STRHASH 0\n#include \"lua.h\"",
        )],
    ),
    (
        "colocated/none",
        Change::Inner,
        &[(
            "lj_def.h",
            "#define LJ_MAX_COLOSIZE\t16",
            "#define LJ_MAX_COLOSIZE\t0",
        )],
    ),
    (
        "colocated/4",
        Change::Inner,
        &[(
            "lj_def.h",
            "#define LJ_MAX_COLOSIZE\t16",
            "#define LJ_MAX_COLOSIZE\t4",
        )],
    ),
    (
        "metamethods/call-swapped",
        Change::Meaning,
        &[("lj_obj.h", "_(concat) _(call)", "_(call) _(concat)")],
    ),
    (
        "metamethods/index-swapped",
        Change::Meaning,
        &[(
            "lj_obj.h",
            "_(index) _(newindex) _(gc) _(mode)",
            "_(newindex) _(index) _(gc) _(mode)",
        )],
    ),
    (
        "metamethods/mode-swapped",
        Change::Meaning,
        &[(
            "lj_obj.h",
            "_(index) _(newindex) _(gc) _(mode)",
            "_(index) _(newindex) _(mode) _(gc)",
        )],
    ),
    (
        "metamethods/one-more",
        Change::Meaning,
        &[(
            "lj_obj.h",
            "_(metatable) _(tostring)",
            "_(metatable) _(mutant) _(tostring)",
        )],
    ),
    (
        "numbers/dual",
        Change::Meaning,
        &[(
            "lj_arch.h",
            "#include \"lua.h\"",
            "#define LUAJIT_NUMMODE 2\n#include \"lua.h\"",
        )],
    ),
    (
        "build/lua52",
        Change::Meaning,
        &[(
            "lj_arch.h",
            "#include \"lua.h\"",
            "#define LUAJIT_ENABLE_LUA52COMPAT\n#include \"lua.h\"",
        )],
    ),
    (
        "build/no-compiler",
        Change::Meaning,
        &[(
            "lj_arch.h",
            "#include \"lua.h\"",
            "#define LUAJIT_DISABLE_JIT\n#include \"lua.h\"",
        )],
    ),
];
