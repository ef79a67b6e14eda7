//! Link options of the module.

fn main() {
    // A VM that closes unloads the module, while threads and unwinding tables may still refer to
    // it; it is small enough to stay loaded.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
