//! Link options of `luasnap`.

fn main() {
    // C modules find the embedded Lua's API in the executable; exported, no symbol of it is
    // dropped as unused.
    println!("cargo::rustc-link-arg-bins=-rdynamic");
    println!("cargo::rerun-if-changed=build.rs");
}
