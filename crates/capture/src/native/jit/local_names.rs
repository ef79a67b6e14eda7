//! The names of a function's locals, as its prototype stores them.
//!
//! For each local there is a text that ends with a zero byte, or one byte for a name that the VM
//! gives; then two numbers of instructions: from the start of the previous local to its own, and
//! from there to its end. A zero byte ends the list.

/// `VARNAMEDEF`: names that are stored as one byte, from 1 on.
const GIVEN: [&str; 6] = [
    "(for index)",
    "(for limit)",
    "(for step)",
    "(for generator)",
    "(for state)",
    "(for control)",
];

/// The locals that are active at one instruction, in the order of their slots.
pub(super) struct ActiveLocals<'a> {
    rest: &'a [u8],
    instruction: u32,
    /// Number of the instruction at which the last one became active.
    start: u32,
}

impl<'a> ActiveLocals<'a> {
    pub(super) fn new(names: &'a [u8], instruction: u32) -> ActiveLocals<'a> {
        ActiveLocals {
            rest: names,
            instruction,
            start: 0,
        }
    }

    /// Reads the name of the next local, active or not.
    fn name(&mut self) -> Option<&'a [u8]> {
        let &first = self.rest.first()?;
        if let Some(given) = GIVEN.get(usize::from(first).wrapping_sub(1)) {
            self.rest = &self.rest[1..];
            return Some(given.as_bytes());
        }
        let end = self.rest.iter().position(|&byte| byte == 0)?;
        let name = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        (end != 0).then_some(name)
    }

    /// Reads a number in groups of 7 bits, the lowest first (ULEB128).
    fn number(&mut self) -> Option<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

impl<'a> Iterator for ActiveLocals<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let name = self.name()?;
            self.start = self.start.checked_add(self.number()?)?;
            if self.start > self.instruction {
                return None;
            }
            let end = self.start.checked_add(self.number()?)?;
            if self.instruction < end {
                return Some(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(names: &[u8], instruction: u32) -> Vec<&str> {
        ActiveLocals::new(names, instruction)
            .map(|name| std::str::from_utf8(name).unwrap())
            .collect()
    }

    #[test]
    fn locals_are_active_between_two_instructions() {
        // `a` from 1 to 300, the three of a numeric loop and `i` from 5 to 10, `b` from 12 to 13.
        let names = b"a\0\x01\xab\x02\x01\x04\x05\x02\0\x05\x03\0\x05i\0\0\x05b\0\x07\x01\0rest";
        assert_eq!(active(names, 0), [""; 0]);
        assert_eq!(active(names, 1), ["a"]);
        assert_eq!(
            active(names, 5),
            ["a", "(for index)", "(for limit)", "(for step)", "i"]
        );
        assert_eq!(active(names, 10), ["a"]);
        assert_eq!(active(names, 12), ["a", "b"]);
        assert_eq!(active(names, 13), ["a"]);
        assert_eq!(active(names, 299), ["a"]);
        assert_eq!(active(names, 300), [""; 0]);
    }

    #[test]
    fn names_that_are_cut_off_are_none() {
        assert_eq!(active(b"", 3), [""; 0]);
        assert_eq!(active(b"\0", 3), [""; 0]);
        assert_eq!(active(b"a\0\x01\x09b", 3), ["a"]);
        assert_eq!(active(b"a\0\x01\x09b\0\x01", 3), ["a"]);
        assert_eq!(active(b"a\0\xff\xff\xff\xff\xff\xff", 3), [""; 0]);
    }
}
