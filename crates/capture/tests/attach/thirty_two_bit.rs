//! A 32-bit program, generated here: few machines have a compiler for one.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};

/// The system's error for a file that it cannot execute.
const ENOEXEC: i32 = 8;
/// `EM_386`.
const I386: u16 = 3;
/// Address at which the file is mapped.
const BASE: u32 = 0x0804_8000;
const HEADER: u32 = 52;
const PROGRAM_HEADER: u32 = 32;

/// Waits for a signal again and again.
const CODE: [u8; 9] = [
    0xb8, 29, 0, 0, 0, // mov eax, 29 (pause)
    0xcd, 0x80, // int 0x80
    0xeb, 0xf7, // jmp to the start
];

/// Runs the program from a file in a folder. Returns `None`, with a message, where the kernel does
/// not run 32-bit programs.
pub fn start(folder: &Path) -> Option<Child> {
    let path = folder.join("thirty-two-bit");
    fs::write(&path, file()).expect("the program is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("rights");
    loop {
        match Command::new(&path).spawn() {
            Ok(process) => return Some(process),
            // A child of another test has our open files for a moment.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                std::thread::yield_now();
            }
            Err(error) if error.raw_os_error() == Some(ENOEXEC) => {
                eprintln!("not tested: this kernel runs no 32-bit programs ({error})");
                return None;
            }
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}

/// An ELF file with one segment, which is the whole file.
fn file() -> Vec<u8> {
    let len = HEADER + PROGRAM_HEADER + CODE.len() as u32;
    // 32 bits, little-endian, version 1.
    let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let halves = |file: &mut Vec<u8>, values: &[u16]| {
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    let words = |file: &mut Vec<u8>, values: &[u32]| {
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    };
    // An executable; version, entry, offset of the program headers, no sections, no flags.
    halves(&mut file, &[2, I386]);
    words(
        &mut file,
        &[1, BASE + HEADER + PROGRAM_HEADER, HEADER, 0, 0],
    );
    // The sizes of the headers, and their number.
    halves(
        &mut file,
        &[HEADER as u16, PROGRAM_HEADER as u16, 1, 0, 0, 0],
    );
    // A segment to load: offset, addresses, sizes, readable and executable, aligned to pages.
    words(&mut file, &[1, 0, BASE, BASE, len, len, 5, 0x1000]);
    file.extend(CODE);
    file
}
