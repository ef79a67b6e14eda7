//! The width of a VM's numbers, which its `luaconf.h` may set.

/// The numbers of a VM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Numbers {
    pub(crate) floats: Width,
    /// Of 5.3 and later; others have floats alone.
    pub(crate) integers: Width,
}

/// The bits of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Width {
    /// 64: what nearly all builds have.
    Wide,
    /// 32, as with `LUA_32BITS`.
    Narrow,
}

impl Numbers {
    /// Those that a VM has unless its builder asks for others.
    pub(crate) const USUAL: Numbers = Numbers {
        floats: Width::Wide,
        integers: Width::Wide,
    };

    /// An integer from a word that begins with it.
    #[inline]
    pub(crate) fn integer(self, word: u64) -> i64 {
        match self.integers {
            Width::Wide => word as i64,
            Width::Narrow => i64::from(word as i32),
        }
    }

    /// A float from a word that begins with it.
    #[inline]
    pub(crate) fn float(self, word: u64) -> f64 {
        match self.floats {
            Width::Wide => f64::from_bits(word),
            Width::Narrow => widened(f32::from_bits(word as u32)),
        }
    }
}

/// The number that people write for a float of 32 bits: 0.1, not 0.100000001490116.
pub(crate) fn widened(narrow: f32) -> f64 {
    narrow.to_string().parse().unwrap_or(f64::from(narrow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_numbers_are_read_as_they_are_written() {
        let narrow = Numbers {
            floats: Width::Narrow,
            integers: Width::Narrow,
        };
        for (number, expected) in [
            (0.1_f32, 0.1),
            (-2.5, -2.5),
            (1e30, 1e30),
            (16777216.0, 16777216.0),
        ] {
            let word = 0x1234_5678_0000_0000 | u64::from(number.to_bits());
            assert_eq!(narrow.float(word), expected);
        }
        assert!(narrow.float(f32::NAN.to_bits().into()).is_nan());
        assert_eq!(narrow.float(f32::INFINITY.to_bits().into()), f64::INFINITY);
        assert_eq!(narrow.integer(0x7fff_0000_ffff_fffe), -2);
        assert_eq!(Numbers::USUAL.integer(u64::MAX), -1);
    }
}
