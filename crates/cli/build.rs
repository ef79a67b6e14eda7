//! Link options of `luasnap`.

fn main() {
    // C modules find the embedded Lua's API in the executable; exporting its symbols keeps them
    // from being dropped as unused.
    println!("cargo::rustc-link-arg-bins=-rdynamic");
    println!("cargo::rerun-if-changed=build.rs");
}
