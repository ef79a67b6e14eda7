//! The seeds of a fuzz target and many mutations of each, run by ordinary tests: always the same
//! ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

/// Values that replace numbers in a file.
const NUMBERS: [u64; 10] = [
    0,
    1,
    0x7F,
    0xFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Most bytes of a mutated seed.
const LONGEST: usize = 1 << 20;

/// Runs a target with each of its seeds, and with `changes` mutations of these. `LUASNAP_FUZZ_SEED`
/// chooses other ones than usual. If a run panics, its input is written to a file, which is printed.
pub fn run_all(target: &str, changes: u64, run: impl Fn(&[u8])) {
    let chosen = std::env::var("LUASNAP_FUZZ_SEED").ok();
    let first = chosen.map_or(0, |number| {
        number.parse().expect("LUASNAP_FUZZ_SEED is a number")
    });
    eprintln!("{target}: {changes} changes from LUASNAP_FUZZ_SEED={first} on");
    let seeds = seeds(target);
    for seed in &seeds {
        named(target, seed, &run);
    }
    for number in first..first + changes {
        named(target, &changed(&seeds, number), &run);
    }
}

/// Returns the files of a target's folder, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    // The path is the same from every package that uses this.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let folder = folder.join(target);
    let files = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    files
        .iter()
        .map(|file| fs::read(file).expect("a seed"))
        .collect()
}

/// Runs a target with one input, which is kept if that panics.
fn named(target: &str, input: &[u8], run: &impl Fn(&[u8])) {
    struct KeeperRow<'a>(&'a str, &'a [u8]);

    impl Drop for KeeperRow<'_> {
        fn drop(&mut self) {
            if thread::panicking() {
                let file = std::env::temp_dir().join(format!("luasnap-fuzz-{}", self.0));
                let kept = fs::write(&file, self.1);
                eprintln!("the input is in {} ({kept:?})", file.display());
            }
        }
    }

    let _keeper = KeeperRow(target, input);
    run(input);
}

/// Returns a seed with a few mutations, chosen by a number.
fn changed(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut dice = Dice(number);
    let mut input = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(6) {
        let other = &seeds[dice.below(seeds.len())];
        change(&mut input, other, &mut dice);
        input.truncate(LONGEST);
    }
    input
}

fn change(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let end = at + dice.below(input.len() - at + 1).min(1 + dice.below(64));
    match dice.below(8) {
        0 | 1 if at < input.len() => input[at] ^= 1 << dice.below(8),
        2 if at < input.len() => input[at] = dice.next() as u8,
        3 | 4 => {
            let width = [1, 2, 4, 8][dice.below(4)].min(input.len() - at);
            let number = NUMBERS[dice.below(NUMBERS.len())].to_le_bytes();
            input[at..at + width].copy_from_slice(&number[..width]);
        }
        5 => {
            input.drain(at..end);
        }
        6 => {
            // A part of some seed in place of another part.
            let start = dice.below(other.len() + 1);
            let stop = start + dice.below(other.len() - start + 1).min(256);
            input.splice(at..end, other[start..stop].iter().copied());
        }
        _ if dice.below(4) == 0 => input.truncate(at),
        _ => {
            let copy = input[at..end].to_vec();
            input.splice(at..at, copy);
        }
    }
}

/// Deterministic pseudo-random numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`; 0 if `end` is 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}
