//! Inputs that are not files on a disk: another program writes them meanwhile, perhaps endlessly.

use crate::files::{answer, program, town};
use crate::program::Ran;
use serde_json::Value;
use std::fs;
use std::process::Command;
use xxhash_rust::xxh3::xxh3_64;

/// Runs a shell command with `$luasnap`, in the town. Reading without end would run out of memory.
fn shell(line: &str) -> Ran {
    let mut bash = Command::new("bash");
    bash.current_dir(town())
        .env("luasnap", program())
        .args(["-c", &format!("ulimit -v 1000000; {line}")]);
    bash.output().unwrap().into()
}

/// Checks that it fails with this reason for the file.
#[track_caller]
fn fails(line: &str, problem: &str) {
    let ran = shell(line);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(125), ""), "{ran:#?}");
    assert!(ran.stderr.starts_with("luasnap: cannot read '"), "{ran:#?}");
    assert!(ran.stderr.ends_with(&format!("': {problem}\n")), "{ran:#?}");
}

#[test]
fn what_another_program_writes_is_read() {
    let unpacked = "gzip < 1.luasnap > 1.luasnap.gz; \"$luasnap\" top <(gzip -dc 1.luasnap.gz)";
    let ran = shell(unpacked);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    // Everything but the file's name.
    let behind_the_name = |text: &str| text.split_once(": ").unwrap().1.to_owned();
    let from_disk = answer(&["top", "1.luasnap"]);
    assert_eq!(behind_the_name(&ran.stdout), behind_the_name(&from_disk));

    let ran = shell("\"$luasnap\" info --json <(cat 1.luasnap)");
    let info: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(info["file_bytes"], Value::Null);
    let ran = shell("\"$luasnap\" info <(cat 1.luasnap)");
    assert!(!ran.stdout.contains("file of"), "{ran:#?}");
}

#[test]
fn what_never_ends_and_is_no_snapshot_is_refused_by_its_beginning() {
    for endless in ["/dev/zero", "<(yes)"] {
        for call in ["info", "top", "export", "diff 1.luasnap"] {
            fails(
                &format!("\"$luasnap\" {call} {endless}"),
                "it is not a luasnap file",
            );
        }
    }
}

#[test]
fn what_never_ends_behind_a_right_beginning_is_read_as_far_as_it_says() {
    fails(
        "\"$luasnap\" info <(cat 1.luasnap /dev/zero)",
        "its end makes no sense: something follows it",
    );
    fails(
        "\"$luasnap\" info <(head -c 64 1.luasnap; cat /dev/zero)",
        "its table of sections is damaged: the checksum is wrong",
    );

    // A header that claims more bytes than will ever come, and the section table of the original
    // file.
    let mut file = fs::read(town().join("1.luasnap")).unwrap();
    file[40..48].copy_from_slice(&(1_u64 << 60).to_le_bytes());
    let checksum = xxh3_64(&file[..56]);
    file[56..64].copy_from_slice(&checksum.to_le_bytes());
    fs::write(town().join("boasting"), &file).unwrap();
    fails(
        "\"$luasnap\" info <(cat boasting /dev/zero)",
        "its table of sections makes no sense: the lengths of the sections do not add up to that of \
         the file",
    );

    // A header that claims more sections than any version has.
    file[48..52].copy_from_slice(&u32::MAX.to_le_bytes());
    let checksum = xxh3_64(&file[..56]);
    file[56..64].copy_from_slice(&checksum.to_le_bytes());
    fs::write(town().join("boasting of sections"), &file).unwrap();
    fails(
        "\"$luasnap\" info <(cat 'boasting of sections' /dev/zero)",
        "its header makes no sense: the number of sections is wrong",
    );
}
