//! Reads this process's memory at addresses that may be wrong, without faulting.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Fills `into` from `address`; false when any of it cannot be read.
pub(crate) fn read(address: u64, into: &mut [u8]) -> bool {
    read_by_call(address, into).unwrap_or_else(|| read_by_file(address, into))
}

/// The 8-byte word at `address`.
pub(crate) fn word(address: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    read(address, &mut bytes).then(|| u64::from_ne_bytes(bytes))
}

/// The two words at `address`.
pub(crate) fn pair(address: u64) -> Option<[u64; 2]> {
    let mut bytes = [0; 16];
    let read = read(address, &mut bytes);
    let half = |at: usize| bytes[at..at + 8].try_into().map_or(0, u64::from_ne_bytes);
    read.then(|| [half(0), half(8)])
}

/// The byte at `address`.
pub(crate) fn byte(address: u64) -> Option<u8> {
    let mut bytes = [0];
    read(address, &mut bytes).then_some(bytes[0])
}

/// `None` where the kernel or a sandbox has no such call.
#[cfg(target_os = "linux")]
fn read_by_call(address: u64, into: &mut [u8]) -> Option<bool> {
    let local = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: into.len(),
    };
    let remote = libc::iovec {
        iov_base: address as *mut _,
        iov_len: into.len(),
    };
    // SAFETY: `local` is ours to write; a bad remote address is an error, not a fault.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    match read {
        -1 => match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EFAULT) => Some(false),
            _ => None,
        },
        read => Some(read as usize == into.len()),
    }
}

#[cfg(not(target_os = "linux"))]
fn read_by_call(_: u64, _: &mut [u8]) -> Option<bool> {
    None
}

fn read_by_file(address: u64, into: &mut [u8]) -> bool {
    File::open("/proc/self/mem").is_ok_and(|file| file.read_exact_at(into, address).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_address_is_an_answer_and_no_fault() {
        let value = 0x1234_5678_9abc_def0_u64;
        let address = &raw const value as u64;
        for read in [read_by_file, |address, into: &mut [u8]| {
            read_by_call(address, into).unwrap_or_else(|| read_by_file(address, into))
        }] {
            let mut bytes = [0; 8];
            assert!(read(address, &mut bytes));
            assert_eq!(u64::from_ne_bytes(bytes), value);
            assert!(!read(8, &mut bytes));
            assert!(!read(u64::MAX - 64, &mut bytes));
        }
    }
}
