//! The seeds of the fuzz target `core`, and mutations of them: any bytes as a core file.

#[path = "../../../../fuzz/corpus.rs"]
mod corpus;
mod fuzzed;

#[test]
fn core_files() {
    corpus::run_all("core", 5000, fuzzed::core);
}

/// The seed is a valid core file with a state.
#[test]
fn the_seed_has_a_state() {
    let seed = include_bytes!("../../../../fuzz/seeds/core/lua54");
    let captures = fuzzed::read(seed).expect("a core file");
    let [(state, heap)] = &captures[..] else {
        panic!("{} states", captures.len());
    };
    assert_eq!(state.vm.family(), "Lua 5.4");
    assert!(heap.is_ok());
}
