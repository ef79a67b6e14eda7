//! Changes of what is read but not of where it lies, and changes that nothing that is read shows.

use super::mutate::{Change, Edit, Mutant};
use super::vm::{Family, Vm};
use anyhow::Result;

/// A change: its name, what kind it is, and what stands instead of what in which file. A release that
/// has other words is left as it is; nothing stands for the end of a file.
type Meaning = (&'static str, Change, &'static [Replacement]);
type Replacement = (&'static str, &'static str, &'static str);

const END: &str = "";

const PUC: &[Meaning] = &[
    // Numbers of another width.
    (
        "numbers/32-bits",
        Change::Meaning,
        &[(
            "luaconf.h",
            "/* #define LUA_32BITS */",
            "#define LUA_32BITS",
        )],
    ),
    (
        "numbers/32-bits",
        Change::Meaning,
        &[(
            "luaconf.h",
            "#define LUA_32BITS\t0",
            "#define LUA_32BITS\t1",
        )],
    ),
    (
        "numbers/float",
        Change::Meaning,
        &[(
            "luaconf.h",
            "LUA_FLOAT_DEFAULT\tLUA_FLOAT_DOUBLE",
            "LUA_FLOAT_DEFAULT\tLUA_FLOAT_FLOAT",
        )],
    ),
    (
        "numbers/float",
        Change::Meaning,
        &[(
            "luaconf.h",
            "LUA_FLOAT_TYPE\tLUA_FLOAT_DOUBLE\n#endif\n\n/* }",
            "LUA_FLOAT_TYPE\tLUA_FLOAT_FLOAT\n#endif\n\n/* }",
        )],
    ),
    (
        "numbers/float",
        Change::Meaning,
        &[
            (
                "luaconf.h",
                "#define LUA_NUMBER\tdouble",
                "#define LUA_NUMBER\tfloat",
            ),
            ("luaconf.h", "\"%lf\"", "\"%f\""),
        ],
    ),
    (
        "numbers/long-double",
        Change::Meaning,
        &[(
            "luaconf.h",
            "LUA_FLOAT_DEFAULT\tLUA_FLOAT_DOUBLE",
            "LUA_FLOAT_DEFAULT\tLUA_FLOAT_LONGDOUBLE",
        )],
    ),
    (
        "numbers/int",
        Change::Meaning,
        &[(
            "luaconf.h",
            "LUA_INT_DEFAULT\t\tLUA_INT_LONGLONG",
            "LUA_INT_DEFAULT\t\tLUA_INT_INT",
        )],
    ),
    (
        "numbers/int",
        Change::Meaning,
        &[(
            "luaconf.h",
            "#define LUA_INT_TYPE\tLUA_INT_LONGLONG",
            "#define LUA_INT_TYPE\tLUA_INT_INT",
        )],
    ),
    (
        "numbers/tags-swapped",
        Change::Meaning,
        &[
            (
                "lobject.h",
                "LUA_VNUMINT\tmakevariant(LUA_TNUMBER, 0)",
                "LUA_VNUMINT\tmakevariant(LUA_TNUMBER, 1)",
            ),
            (
                "lobject.h",
                "LUA_VNUMFLT\tmakevariant(LUA_TNUMBER, 1)",
                "LUA_VNUMFLT\tmakevariant(LUA_TNUMBER, 0)",
            ),
        ],
    ),
    (
        "numbers/tags-swapped",
        Change::Meaning,
        &[
            (
                "lobject.h",
                "LUA_TNUMFLT\t(LUA_TNUMBER | (0 << 4))",
                "LUA_TNUMFLT\t(LUA_TNUMBER | (1 << 4))",
            ),
            (
                "lobject.h",
                "LUA_TNUMINT\t(LUA_TNUMBER | (1 << 4))",
                "LUA_TNUMINT\t(LUA_TNUMBER | (0 << 4))",
            ),
        ],
    ),
    (
        "strings/tags-swapped",
        Change::Meaning,
        &[
            (
                "lobject.h",
                "LUA_VSHRSTR\tmakevariant(LUA_TSTRING, 0)",
                "LUA_VSHRSTR\tmakevariant(LUA_TSTRING, 1)",
            ),
            (
                "lobject.h",
                "LUA_VLNGSTR\tmakevariant(LUA_TSTRING, 1)",
                "LUA_VLNGSTR\tmakevariant(LUA_TSTRING, 0)",
            ),
        ],
    ),
    (
        "strings/tags-swapped",
        Change::Meaning,
        &[
            (
                "lobject.h",
                "LUA_TSHRSTR\t(LUA_TSTRING | (0 << 4))",
                "LUA_TSHRSTR\t(LUA_TSTRING | (1 << 4))",
            ),
            (
                "lobject.h",
                "LUA_TLNGSTR\t(LUA_TSTRING | (1 << 4))",
                "LUA_TLNGSTR\t(LUA_TSTRING | (0 << 4))",
            ),
        ],
    ),
    // The empty part of a hash table: in memory that can be written, and known by its address alone, as
    // 5.3.3 had it.
    (
        "empty-part/writable",
        Change::Meaning,
        &[(
            "ltable.c",
            "static const Node dummynode_",
            "static Node dummynode_",
        )],
    ),
    (
        "empty-part/by-address",
        Change::Meaning,
        &[
            (
                "ltable.h",
                "#define isdummy(t)\t\t((t)->lastfree == NULL)",
                "extern void *const luaH_emptypart;\n\
                 #define isdummy(t)\t\t((void *)(t)->node == luaH_emptypart)",
            ),
            (
                "ltable.c",
                "t->lastfree = NULL;",
                "t->lastfree = gnode(t, 0);",
            ),
            (
                "ltable.c",
                END,
                "\nvoid *const luaH_emptypart = (void *)&dummynode_;\n",
            ),
        ],
    ),
    (
        "empty-part/by-address",
        Change::Meaning,
        &[
            (
                "ltable.h",
                "#define isdummy(t)\t\t((t)->flags & BITDUMMY)",
                "extern void *const luaH_emptypart;\n\
                 #define isdummy(t)\t\t((void *)(t)->node == luaH_emptypart)",
            ),
            ("ltable.h", "((t)->flags |= BITDUMMY)", "((void)0)"),
            (
                "ltable.c",
                END,
                "\nvoid *const luaH_emptypart = (void *)&dummynode_;\n",
            ),
        ],
    ),
    // Room beside each thread.
    (
        "extra-space/1",
        Change::Members,
        &[(
            "luaconf.h",
            "#define LUA_EXTRASPACE\t\t(sizeof(void *))",
            "#define LUA_EXTRASPACE\t\t1",
        )],
    ),
    (
        "extra-space/16",
        Change::Members,
        &[(
            "luaconf.h",
            "#define LUA_EXTRASPACE\t\t(sizeof(void *))",
            "#define LUA_EXTRASPACE\t\t16",
        )],
    ),
    (
        "extra-space/64",
        Change::Members,
        &[(
            "luaconf.h",
            "#define LUA_EXTRASPACE\t\t(sizeof(void *))",
            "#define LUA_EXTRASPACE\t\t64",
        )],
    ),
    (
        "extra-space/8",
        Change::Meaning,
        &[(
            "luaconf.h",
            "#define LUAI_EXTRASPACE\t\t0",
            "#define LUAI_EXTRASPACE\t\t8",
        )],
    ),
    (
        "extra-space/8",
        Change::Members,
        &[(
            "lstate.c",
            "#if defined(LUAI_EXTRASPACE)",
            "#define LUAI_EXTRASPACE 8\n#if 1",
        )],
    ),
    // How long a short string may be.
    (
        "short-strings/20",
        Change::Inner,
        &[(
            "luaconf.h",
            "#define LUAI_MAXSHORTLEN        40",
            "#define LUAI_MAXSHORTLEN 20",
        )],
    ),
    (
        "short-strings/60",
        Change::Inner,
        &[(
            "luaconf.h",
            "#define LUAI_MAXSHORTLEN        40",
            "#define LUAI_MAXSHORTLEN 60",
        )],
    ),
    (
        "short-strings/20",
        Change::Inner,
        &[(
            "llimits.h",
            "#define LUAI_MAXSHORTLEN\t40",
            "#define LUAI_MAXSHORTLEN\t20",
        )],
    ),
    (
        "short-strings/60",
        Change::Inner,
        &[(
            "llimits.h",
            "#define LUAI_MAXSHORTLEN\t40",
            "#define LUAI_MAXSHORTLEN\t60",
        )],
    ),
    (
        "short-strings/20",
        Change::Inner,
        &[(
            "lstring.h",
            "#define LUAI_MAXSHORTLEN\t40",
            "#define LUAI_MAXSHORTLEN\t20",
        )],
    ),
    (
        "short-strings/60",
        Change::Inner,
        &[(
            "lstring.h",
            "#define LUAI_MAXSHORTLEN\t40",
            "#define LUAI_MAXSHORTLEN\t60",
        )],
    ),
    // Another hash of strings, from another seed.
    (
        "hash/function",
        Change::Inner,
        &[("lstring.c", "((h<<5) + (h>>2)", "((h<<7) + (h>>3)")],
    ),
    (
        "hash/function",
        Change::Inner,
        &[("lstring.c", "((h<<5)+(h>>2)", "((h<<7)+(h>>3)")],
    ),
    (
        "hash/seed",
        Change::Inner,
        &[("lstring.c", "= seed ^ cast", "= 0x5bd1e995 ^ seed ^ cast")],
    ),
    (
        "hash/seed",
        Change::Inner,
        &[(
            "lstring.c",
            "cast(unsigned int, l);  /* seed */",
            "0x5bd1e995 ^ cast(unsigned int, l);",
        )],
    ),
    // The metamethods in another order, and one more of them.
    (
        "metamethods/index-swapped",
        Change::Meaning,
        &[
            (
                "ltm.h",
                "TM_INDEX,\n  TM_NEWINDEX,",
                "TM_NEWINDEX,\n  TM_INDEX,",
            ),
            (
                "ltm.c",
                "\"__index\", \"__newindex\"",
                "\"__newindex\", \"__index\"",
            ),
        ],
    ),
    (
        "metamethods/mode-swapped",
        Change::Meaning,
        &[
            ("ltm.h", "TM_GC,\n  TM_MODE,", "TM_MODE,\n  TM_GC,"),
            ("ltm.c", "\"__gc\", \"__mode\"", "\"__mode\", \"__gc\""),
        ],
    ),
    (
        "metamethods/call-swapped",
        Change::Meaning,
        &[
            ("ltm.h", "TM_CONCAT,\n  TM_CALL,", "TM_CALL,\n  TM_CONCAT,"),
            (
                "ltm.c",
                "\"__concat\", \"__call\"",
                "\"__call\", \"__concat\"",
            ),
        ],
    ),
    (
        "metamethods/one-more",
        Change::Members,
        &[
            ("ltm.h", "TM_CALL,", "TM_CALL,\n  TM_MUTANT,"),
            ("ltm.c", "\"__call\"", "\"__call\", \"__mutant\""),
        ],
    ),
];

const JIT: &[Meaning] = &[
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

/// Those of a VM that its release has the words of.
pub fn mutants(vm: &Vm) -> Result<Vec<Mutant<'_>>> {
    let meanings = match vm.family {
        Family::Puc(_) => PUC,
        Family::Jit => JIT,
    };
    let mut all = Vec::new();
    for (name, change, replacements) in meanings {
        let mut edits = Vec::new();
        for (file, old, new) in *replacements {
            let text = vm.text(file)?.unwrap_or_default();
            let place = match *old {
                END => Some(text.len()),
                old => text.find(old),
            };
            edits.extend(place.map(|place| Edit {
                file: (*file).into(),
                place: place..place + old.len(),
                text: (*new).into(),
            }));
        }
        if edits.len() == replacements.len() {
            all.push(Mutant {
                name: format!("{}/{name}", vm.name),
                vm,
                edits,
                change: *change,
            });
        }
    }
    Ok(all)
}
