//! Changes of PUC Lua.

use super::replacement::{END, Meaning};
use crate::mutants::mutant::Change;

pub const MEANINGS: &[Meaning] = &[
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
    // The empty part of a hash table: in writable memory, or recognized only by its address, as in
    // 5.3.3.
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
    // Extra space next to each thread.
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
    // The maximum length of a short string.
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
    // Another hash function or seed for strings.
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
    // The metamethods in another order, and with an additional one.
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
    // Other type tags of values.
    (
        "tags/integer",
        Change::Meaning,
        &[(
            "lobject.h",
            "LUA_VNUMINT\tmakevariant(LUA_TNUMBER, 0)",
            "LUA_VNUMINT\tmakevariant(LUA_TNUMBER, 2)",
        )],
    ),
    (
        "tags/integer",
        Change::Meaning,
        &[(
            "lobject.h",
            "LUA_TNUMINT\t(LUA_TNUMBER | (1 << 4))",
            "LUA_TNUMINT\t(LUA_TNUMBER | (2 << 4))",
        )],
    ),
    (
        "tags/float",
        Change::Meaning,
        &[(
            "lobject.h",
            "LUA_VNUMFLT\tmakevariant(LUA_TNUMBER, 1)",
            "LUA_VNUMFLT\tmakevariant(LUA_TNUMBER, 2)",
        )],
    ),
    (
        "tags/false",
        Change::Meaning,
        &[(
            "lobject.h",
            "LUA_VFALSE\tmakevariant(LUA_TBOOLEAN, 0)",
            "LUA_VFALSE\tmakevariant(LUA_TBOOLEAN, 2)",
        )],
    ),
    (
        "tags/true",
        Change::Meaning,
        &[(
            "lobject.h",
            "LUA_VTRUE\tmakevariant(LUA_TBOOLEAN, 1)",
            "LUA_VTRUE\tmakevariant(LUA_TBOOLEAN, 2)",
        )],
    ),
    (
        "tags/booleans-swapped",
        Change::Meaning,
        &[
            (
                "lobject.h",
                "LUA_VFALSE\tmakevariant(LUA_TBOOLEAN, 0)",
                "LUA_VFALSE\tmakevariant(LUA_TBOOLEAN, 1)",
            ),
            (
                "lobject.h",
                "LUA_VTRUE\tmakevariant(LUA_TBOOLEAN, 1)",
                "LUA_VTRUE\tmakevariant(LUA_TBOOLEAN, 0)",
            ),
        ],
    ),
    (
        "tags/light-function",
        Change::Meaning,
        &[(
            "lobject.h",
            "LUA_VLCF\tmakevariant(LUA_TFUNCTION, 1)",
            "LUA_VLCF\tmakevariant(LUA_TFUNCTION, 3)",
        )],
    ),
    (
        "tags/light-function",
        Change::Meaning,
        &[(
            "lobject.h",
            "LUA_TLCF\t(LUA_TFUNCTION | (1 << 4))",
            "LUA_TLCF\t(LUA_TFUNCTION | (3 << 4))",
        )],
    ),
    (
        "tags/functions-swapped",
        Change::Meaning,
        &[
            (
                "lobject.h",
                "LUA_VLCL\tmakevariant(LUA_TFUNCTION, 0)",
                "LUA_VLCL\tmakevariant(LUA_TFUNCTION, 2)",
            ),
            (
                "lobject.h",
                "LUA_VCCL\tmakevariant(LUA_TFUNCTION, 2)",
                "LUA_VCCL\tmakevariant(LUA_TFUNCTION, 0)",
            ),
        ],
    ),
    (
        "tags/nil",
        Change::Meaning,
        &[
            (
                "lobject.h",
                "LUA_VEMPTY\tmakevariant(LUA_TNIL, 1)",
                "LUA_VEMPTY\tmakevariant(LUA_TNIL, 2)",
            ),
            (
                "lobject.h",
                "LUA_VABSTKEY\tmakevariant(LUA_TNIL, 2)",
                "LUA_VABSTKEY\tmakevariant(LUA_TNIL, 1)",
            ),
        ],
    ),
    // What is allocated is counted in larger units than it was asked for.
    (
        "sizes/counted-in-16s",
        Change::Meaning,
        &[(
            "lmem.c",
            "(g->totalbytes - osize) + nsize;",
            "(g->totalbytes - ((osize + 15) & ~(size_t)15)) + ((nsize + 15) & ~(size_t)15);",
        )],
    ),
    (
        "sizes/counted-in-16s",
        Change::Meaning,
        &[(
            "lmem.c",
            "(g->GCdebt + nsize) - realosize;",
            "(g->GCdebt + ((nsize + 15) & ~(size_t)15)) - ((realosize + 15) & ~(size_t)15);",
        )],
    ),
    (
        "sizes/counted-in-16s",
        Change::Meaning,
        &[
            (
                "lmem.c",
                "g->GCdebt -= osize;",
                "g->GCdebt -= ((osize + 15) & ~(size_t)15);",
            ),
            (
                "lmem.c",
                "(g->GCdebt + nsize) - osize;",
                "(g->GCdebt + ((nsize + 15) & ~(size_t)15)) - ((osize + 15) & ~(size_t)15);",
            ),
            (
                "lmem.c",
                "g->GCdebt += size;",
                "g->GCdebt += ((size + 15) & ~(size_t)15);",
            ),
        ],
    ),
    (
        "sizes/counted-in-16s",
        Change::Meaning,
        &[
            (
                "lmem.c",
                "g->GCdebt += cast(l_mem, osize);",
                "g->GCdebt += cast(l_mem, ((osize + 15) & ~(size_t)15));",
            ),
            (
                "lmem.c",
                "cast(l_mem, nsize) - cast(l_mem, osize);",
                "cast(l_mem, ((nsize + 15) & ~(size_t)15)) - cast(l_mem, ((osize + 15) & ~(size_t)15));",
            ),
            (
                "lmem.c",
                "g->GCdebt -= cast(l_mem, size);",
                "g->GCdebt -= cast(l_mem, ((size + 15) & ~(size_t)15));",
            ),
        ],
    ),
];
