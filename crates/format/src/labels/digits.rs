//! Numbers as digits.

/// Appends a number in decimal.
pub(crate) fn push_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a number in lowercase hexadecimal, with `0x` before it.
pub(crate) fn push_address(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 16];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(b"0x");
    out.extend_from_slice(&digits[at..]);
}

/// Returns a byte as two hexadecimal digits of this alphabet.
pub(crate) fn hex_pair(byte: u8, alphabet: &[u8; 16]) -> [u8; 2] {
    [
        alphabet[usize::from(byte >> 4)],
        alphabet[usize::from(byte & 15)],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_standard_library() {
        for value in [
            0,
            1,
            9,
            10,
            15,
            16,
            255,
            0xb2_5900,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut out = Vec::new();
            push_decimal(&mut out, value);
            out.push(b' ');
            push_address(&mut out, value);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                format!("{value} {value:#x}")
            );
        }
    }
}
