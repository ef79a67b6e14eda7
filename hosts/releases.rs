//! Other releases of PUC Lua than the newest ones, LuaJIT built with other flags, and Luas whose
//! structures nobody else has: what the native engine is tried on. Their sources come with older versions of the `lua-src` crate, on
//! which xtask depends.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Older releases whose structures differ, or may.
pub const OLDER: [&str; 10] = [
    "5.3.5", "5.4.0", "5.4.1", "5.4.2", "5.4.3", "5.4.4", "5.4.6", "5.4.7", "5.4.8", "5.5.0",
];

/// A LuaJIT built in a way that changes its structures.
pub struct JitBuild {
    /// What the tests call it.
    pub name: &'static str,
    /// For the C compiler.
    pub flags: &'static str,
}

impl JitBuild {
    /// Whether references have 32 bits in a process of 64 bits (no GC64).
    pub fn has_narrow_references(&self) -> bool {
        self.flags.contains("DISABLE_GC64")
    }
}

/// The LuaJITs that are built so.
pub static JIT: [JitBuild; 5] = [
    JitBuild {
        name: "jit32",
        flags: "-DLUAJIT_DISABLE_GC64",
    },
    JitBuild {
        name: "jit-bump",
        flags: "-DLUAJIT_ENABLE_TABLE_BUMP",
    },
    JitBuild {
        name: "jit-no-ffi",
        flags: "-DLUAJIT_DISABLE_FFI",
    },
    JitBuild {
        name: "jit-no-jit",
        flags: "-DLUAJIT_DISABLE_JIT",
    },
    JitBuild {
        name: "jit32-bare",
        flags: "-DLUAJIT_DISABLE_GC64 -DLUAJIT_DISABLE_FFI -DLUAJIT_DISABLE_JIT",
    },
];

/// Luas that were changed: a name, the release, and what stands instead of what in a header.
pub const CHANGED: [(&str, &str, &str, &str, &str); 27] = [
    (
        "value-5.1",
        "5.1.5",
        "lobject.h",
        VALUE,
        "Value value; void *changed; int tt",
    ),
    (
        "top-5.1",
        "5.1.5",
        "lstate.h",
        TOP,
        "StkId base;  /* base of current function */\n  StkId top;  /* first free slot in the stack */",
    ),
    (
        "table-5.1",
        "5.1.5",
        "lobject.h",
        TABLE,
        "void *changed;\n  Node *node;",
    ),
    (
        "table-5.2",
        "5.2.4",
        "lobject.h",
        TABLE,
        "void *changed;\n  Node *node;",
    ),
    (
        "table-5.3",
        "5.3.6",
        "lobject.h",
        TABLE,
        "void *changed;\n  Node *node;",
    ),
    (
        "table-5.4",
        "5.4.9",
        "lobject.h",
        TABLE,
        "void *changed;\n  Node *node;",
    ),
    (
        "table-5.5",
        "5.5.1",
        "lobject.h",
        TABLE,
        "void *changed;\n  Node *node;",
    ),
    // All sizes are what they were; only the meaning is not.
    (
        "array-5.1",
        "5.1.5",
        "lobject.h",
        ARRAY,
        "Node *node;\n  TValue *array;",
    ),
    (
        "array-5.2",
        "5.2.4",
        "lobject.h",
        ARRAY,
        "Node *node;\n  TValue *array;",
    ),
    (
        "array-5.3",
        "5.3.6",
        "lobject.h",
        ARRAY,
        "Node *node;\n  TValue *array;",
    ),
    (
        "array-5.4",
        "5.4.9",
        "lobject.h",
        ARRAY,
        "Node *node;\n  TValue *array;",
    ),
    (
        "array-5.5",
        "5.5.1",
        "lobject.h",
        ARRAY_55,
        "Node *node;\n  Value *array;",
    ),
    // Each prototype is 8 bytes larger, and all else is where it was.
    (
        "prototype-5.4",
        "5.4.9",
        "lobject.h",
        PROTOTYPE,
        "GCObject *gclist;\n  void *changed;\n} Proto;",
    ),
    (
        "code-5.4",
        "5.4.9",
        "lobject.h",
        CODE,
        "Instruction *code;\n  TValue *k;",
    ),
    (
        "frames-5.4",
        "5.4.9",
        "lstate.h",
        FRAMES,
        "StkIdRel top;\n  StkIdRel func;",
    ),
    (
        "metatable-5.4",
        "5.4.9",
        "lobject.h",
        METATABLE,
        "GCObject *gclist;\n  struct Table *metatable;\n} Table;",
    ),
    (
        "string-5.1",
        "5.1.5",
        "lobject.h",
        HASH,
        "unsigned int hash;\n  size_t more;",
    ),
    (
        "string-5.2",
        "5.2.4",
        "lobject.h",
        HASH,
        "unsigned int hash;\n  size_t more;",
    ),
    (
        "string-5.3",
        "5.3.6",
        "lobject.h",
        HASH,
        "unsigned int hash;\n  size_t more;",
    ),
    (
        "string-5.4",
        "5.4.9",
        "lobject.h",
        HASH,
        "unsigned int hash;\n  size_t more[2];",
    ),
    (
        "string-5.5",
        "5.5.1",
        "lobject.h",
        HASH,
        "unsigned int hash;\n  size_t more[2];",
    ),
    (
        "tags-5.3",
        "5.3.6",
        "lobject.h",
        INTEGER_53,
        "LUA_TNUMINT\t(LUA_TNUMBER | (2 << 4))",
    ),
    (
        "tags-5.4",
        "5.4.9",
        "lobject.h",
        INTEGER,
        "LUA_VNUMINT\tmakevariant(LUA_TNUMBER, 2)",
    ),
    (
        "tags-5.5",
        "5.5.1",
        "lobject.h",
        INTEGER,
        "LUA_VNUMINT\tmakevariant(LUA_TNUMBER, 2)",
    ),
    (
        "numbers-long-5.3",
        "5.3.6",
        "luaconf.h",
        FLOAT,
        "#if !defined(LUA_FLOAT_TYPE)\n#define LUA_FLOAT_TYPE\tLUA_FLOAT_LONGDOUBLE",
    ),
    (
        "record-5.2",
        "5.2.4",
        "lua.h",
        RECORD,
        "int event;\n  int more[2];\n  const char *name;",
    ),
    (
        "record-5.4",
        "5.4.9",
        "lua.h",
        RECORD,
        "int event;\n  int more[2];\n  const char *name;",
    ),
];
const VALUE: &str = "Value value; int tt";
const TOP: &str =
    "StkId top;  /* first free slot in the stack */\n  StkId base;  /* base of current function */";
const INTEGER_53: &str = "LUA_TNUMINT\t(LUA_TNUMBER | (1 << 4))";
const INTEGER: &str = "LUA_VNUMINT\tmakevariant(LUA_TNUMBER, 0)";
const FLOAT: &str = "#if !defined(LUA_FLOAT_TYPE)\n#define LUA_FLOAT_TYPE\tLUA_FLOAT_DOUBLE";
const RECORD: &str = "int event;\n  const char *name;";
const HASH: &str = "unsigned int hash;";
const PROTOTYPE: &str = "GCObject *gclist;\n} Proto;";
const TABLE: &str = "Node *node;";
const ARRAY: &str = "TValue *array;  /* array part */\n  Node *node;";
const ARRAY_55: &str = "Value *array;  /* array part */\n  Node *node;";
const CODE: &str =
    "TValue *k;  /* constants used by the function */\n  Instruction *code;  /* opcodes */";
const FRAMES: &str = "StkIdRel func;  /* function index in the stack */\n  \
    StkIdRel\ttop;  /* top for this function */";
const METATABLE: &str = "struct Table *metatable;\n  GCObject *gclist;\n} Table;";

/// The folders of all versions of a package, the newest last.
fn packages(name: &str) -> Vec<PathBuf> {
    let cargo = env::var_os("CARGO").expect("cargo sets CARGO");
    let asked = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .expect("cargo runs");
    assert!(
        asked.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&asked.stderr)
    );
    let said: serde_json::Value = serde_json::from_slice(&asked.stdout).expect("JSON");
    let mut found: Vec<PathBuf> = said["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter(|package| package["name"] == name)
        .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(Path::to_owned)
        .collect();
    found.sort();
    found
}

/// The folder with the C files of a release.
pub fn sources(release: &str) -> PathBuf {
    let folders = packages("lua-src").into_iter();
    let mut folders = folders.map(|folder| folder.join(format!("lua-{release}")));
    // The newest has a release's last patches.
    let newest = folders.rfind(|folder| folder.is_dir());
    newest.unwrap_or_else(|| panic!("no lua-src has Lua {release}"))
}

/// Copies LuaJIT's sources to a folder.
pub fn copy_jit(into: &Path) {
    let package = packages("luajit-src").pop().expect("luajit-src");
    copy_tree(&package.join("luajit2"), into);
    // What `git show` would say of the release.
    fs::copy(package.join("luajit_relver.txt"), into.join(".relver")).expect("a copy");
}

fn copy_tree(from: &Path, into: &Path) {
    fs::create_dir_all(into).expect("a folder");
    for file in fs::read_dir(from).expect("sources").flatten() {
        let (path, copy) = (file.path(), into.join(file.file_name()));
        match path.is_dir() {
            true => copy_tree(&path, &copy),
            // Written anew, so that it can be changed whatever the permissions of the original.
            false => fs::write(copy, fs::read(path).expect("a source")).expect("a copy"),
        }
    }
}

/// Models of skynet's Luas: a name, and the release that each was changed from.
pub const SKYNET: [(&str, &str); 2] = [("skynet-5.4", "5.4.7"), ("skynet-5.5", "5.5.0")];

/// What those have: each string has a number, and two short strings are equal if their texts are, whichever state they
/// are of. The rest of the model is `src/skynet.c`.
const OF_SKYNET: [(&str, &str, &str); 4] = [
    ("lobject.h", HASH, "unsigned int hash;\n  size_t id;"),
    (
        "lstring.c",
        "ts->extra = 0;",
        "ts->extra = 0;\n  ts->id = 0;",
    ),
    (
        "lstring.h",
        "(a) == (b))",
        "(a) == (b) || ((a)->hash == (b)->hash && (a)->shrlen == (b)->shrlen \\\n    \
            && memcmp(getshrstr(a), getshrstr(b), (size_t)(a)->shrlen) == 0))",
    ),
    (
        "lstring.h",
        "#include \"lgc.h\"",
        "#include <string.h>\n#include \"lgc.h\"",
    ),
];

/// The sources of a model of skynet's Lua.
pub fn skynet_sources(release: &str, into: &Path) -> PathBuf {
    changed_sources(release, &OF_SKYNET, into)
}

/// A copy of a release's sources with something changed: what stands instead of what in which file.
pub fn changed_sources(release: &str, edits: &[(&str, &str, &str)], into: &Path) -> PathBuf {
    copy_sources(release, into);
    for (file, old, new) in edits {
        change(&into.join(file), old, new);
    }
    into.to_owned()
}

fn copy_sources(release: &str, into: &Path) {
    fs::create_dir_all(into).expect("a folder");
    for file in fs::read_dir(sources(release)).expect("sources").flatten() {
        if file.path().is_file() {
            fs::copy(file.path(), into.join(file.file_name())).expect("a copy");
        }
    }
}

fn change(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).expect("a file of the sources");
    assert!(text.contains(old), "{} has no {old}", file.display());
    fs::write(file, text.replacen(old, new, 1)).expect("a file of the sources");
}

/// The C files of a release that make its library.
pub fn library_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("sources")
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .filter(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            !["lua", "luac", "onelua", "ltests"].contains(&&*name)
        })
        .collect();
    files.sort();
    files
}
