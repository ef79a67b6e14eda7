//! PUC Luas that are built otherwise than the released ones, and that snapshots of must be exact all
//! the same: models of releases that no registry has, made from the nearest one, and options that a
//! builder may set.

/// A file, and what stands there instead of what.
pub type Edit = (&'static str, &'static str, &'static str);

/// What is built.
pub struct Build {
    /// Its name, which ends with the version.
    pub name: &'static str,
    /// The release that it is made from.
    pub release: &'static str,
    /// How its sources are changed.
    pub edits: &'static [Edit],
    /// Whether a compiler for C++ compiles it.
    pub is_cpp: bool,
}

const fn build(name: &'static str, release: &'static str, edits: &'static [Edit]) -> Build {
    Build {
        name,
        release,
        edits,
        is_cpp: false,
    }
}

const fn cpp(name: &'static str, release: &'static str) -> Build {
    Build {
        name,
        release,
        edits: &[],
        is_cpp: true,
    }
}

/// All of them.
pub const BUILDS: [Build; 20] = [
    // 5.2.1 to 5.2.3: a table's fields are in another order.
    build(
        "like-5.2.3-5.2",
        "5.2.4",
        &[
            (
                "lobject.h",
                "int sizearray;  /* size of `array' array */\n  TValue *array;",
                "struct Table *metatable;\n  TValue *array;",
            ),
            (
                "lobject.h",
                "struct Table *metatable;\n  GCObject *gclist;\n} Table;",
                "GCObject *gclist;\n  int sizearray;\n} Table;",
            ),
        ],
    ),
    // Up to 5.3.3 only the node tells that a table has none of its own, and calls have less status.
    build("like-5.3.3-5.3", "5.3.5", LIKE_533),
    // 5.3.1 has no number of calls, a buffer, and another cache of strings.
    build("like-5.3.1-5.3", "5.3.5", LIKE_531),
    build(
        "space-64-5.1",
        "5.1.5",
        &[(
            "luaconf.h",
            "#define LUAI_EXTRASPACE\t\t0",
            "#define LUAI_EXTRASPACE 64",
        )],
    ),
    build(
        "space-24-5.2",
        "5.2.4",
        &[(
            "luaconf.h",
            "#define lconfig_h",
            "#define lconfig_h\n#define LUAI_EXTRASPACE 24",
        )],
    ),
    build(
        "space-16-5.3",
        "5.3.6",
        &[("luaconf.h", SPACE, "#define LUA_EXTRASPACE 16")],
    ),
    build(
        "space-0-5.4",
        "5.4.9",
        &[("luaconf.h", SPACE, "#define LUA_EXTRASPACE 0")],
    ),
    build(
        "space-12-5.4",
        "5.4.9",
        &[("luaconf.h", SPACE, "#define LUA_EXTRASPACE 12")],
    ),
    build(
        "space-64-5.4",
        "5.4.9",
        &[("luaconf.h", SPACE, "#define LUA_EXTRASPACE 64")],
    ),
    build(
        "space-0-5.5",
        "5.5.1",
        &[("luaconf.h", SPACE, "#define LUA_EXTRASPACE 0")],
    ),
    build(
        "space-200-5.5",
        "5.5.1",
        &[("luaconf.h", SPACE, "#define LUA_EXTRASPACE 200")],
    ),
    build(
        "bits-32-5.3",
        "5.3.6",
        &[("luaconf.h", BITS, "#define LUA_32BITS 1")],
    ),
    build(
        "bits-32-5.4",
        "5.4.9",
        &[("luaconf.h", "#define LUA_32BITS\t0", "#define LUA_32BITS 1")],
    ),
    build(
        "bits-32-5.5",
        "5.5.1",
        &[("luaconf.h", BITS, "#define LUA_32BITS 1")],
    ),
    build(
        "float-5.1",
        "5.1.5",
        &[("luaconf.h", NUMBER, "#define LUA_NUMBER float")],
    ),
    build(
        "float-5.2",
        "5.2.4",
        &[("luaconf.h", NUMBER, "#define LUA_NUMBER float")],
    ),
    build(
        "float-5.4",
        "5.4.9",
        &[(
            "luaconf.h",
            "#define LUA_FLOAT_DEFAULT\tLUA_FLOAT_DOUBLE",
            "#define LUA_FLOAT_DEFAULT LUA_FLOAT_FLOAT",
        )],
    ),
    cpp("cpp-5.1", "5.1.5"),
    cpp("cpp-5.3", "5.3.6"),
    cpp("cpp-5.4", "5.4.9"),
];

const LIKE_531: &[Edit] = &[
    LIKE_533[0],
    LIKE_533[1],
    LIKE_533[2],
    LIKE_533[3],
    (
        "lstate.h",
        "unsigned short nci;  /* number of items in 'ci' list */\n  lu_byte status;",
        "lu_byte status;",
    ),
    (
        "lstate.h",
        "lu_byte allowhook;\n};",
        "lu_byte allowhook;\n  unsigned short nci;\n};",
    ),
    (
        "lstate.h",
        "unsigned int gcfinnum;",
        "void *buffer[3];\n  unsigned int gcfinnum;",
    ),
    (
        "lstate.c",
        "g->twups = NULL;",
        "g->twups = NULL;\n  g->buffer[0] = g->buffer[1] = g->buffer[2] = NULL;",
    ),
    (
        "llimits.h",
        "#define STRCACHE_N\t\t53",
        "#define STRCACHE_N 127",
    ),
    (
        "llimits.h",
        "#define STRCACHE_M\t\t2",
        "#define STRCACHE_M 1",
    ),
];
const LIKE_533: &[Edit] = &[
    (
        "ltable.h",
        "#define isdummy(t)\t\t((t)->lastfree == NULL)",
        "LUAI_FUNC int luaH_hasdummy (const Table *t);\n#define isdummy(t) luaH_hasdummy(t)",
    ),
    (
        "ltable.c",
        "t->lastfree = NULL;  /* signal that it is using dummy node */",
        "t->lastfree = t->node;",
    ),
    (
        "ltable.c",
        "static const Node dummynode_ = {",
        "static const Node dummynode_;\n\
         int luaH_hasdummy (const Table *t) { return t->node == dummynode; }\n\
         static const Node dummynode_ = {",
    ),
    (
        "lstate.h",
        "unsigned short callstatus;",
        "lu_byte callstatus;",
    ),
];
const SPACE: &str = "#define LUA_EXTRASPACE\t\t(sizeof(void *))";
const BITS: &str = "/* #define LUA_32BITS */";
const NUMBER: &str = "#define LUA_NUMBER\tdouble";
