//! Fingerprints: names of groups as numbers that are the same from run to run.
//!
//! People write them down (in lists of known leaks, in reports), so the rule has a
//! [number](FINGERPRINT_RULE) that changes with it. 64-bit FNV-1a over all parts, each text after its length and
//! each number as eight bytes, lowest first; then the finalizer of MurmurHash3, which spreads every bit over all
//! others.

use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::loaded_code::CodeShape;
use crate::graph::name::NameId;
use crate::groups::string_owners::MAX_OWNERS;

/// The number of the rule by which fingerprints are made. Those of another rule say nothing about the
/// same group: programs that keep them keep this too.
///
/// By rule 2, code without a name was told apart by the line where it begins alone, and paths knew no
/// environments. By rule 1, coroutines had the fingerprint of the function that they were started with, code
/// without a name that of its text, and strings that of the one group that dominated them. See
/// [`Groups::older_fingerprints`](crate::Groups::older_fingerprints).
pub const FINGERPRINT_RULE: u32 = 3;

/// The name of a group as a number: made of names, kinds and places in sources, not of addresses. It is the
/// same in every process and on every machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Fingerprint(pub u64);

/// The state of the hash while a fingerprint is made.
#[derive(Clone, Copy)]
pub(crate) struct FingerprintHasher(u64);

impl FingerprintHasher {
    /// Begins the fingerprint of a thing of this sort.
    pub(crate) fn new(sort: &str) -> FingerprintHasher {
        FingerprintHasher(0xCBF2_9CE4_8422_2325).text(sort.as_bytes())
    }

    pub(crate) fn text(self, bytes: &[u8]) -> FingerprintHasher {
        bytes
            .iter()
            .fold(self.number(bytes.len() as u64), |hasher, &byte| {
                hasher.byte(byte)
            })
    }

    pub(crate) fn number(self, number: u64) -> FingerprintHasher {
        number
            .to_le_bytes()
            .into_iter()
            .fold(self, |hasher, byte| hasher.byte(byte))
    }

    /// Adds a kind.
    pub(crate) fn kind(self, kind: Kind) -> FingerprintHasher {
        match kind {
            Kind::CFunction => self.text(b"C function"),
            kind => self.text(kind.type_name().as_bytes()),
        }
    }

    /// Adds a label that is not generalised.
    pub(crate) fn label<'a>(
        self,
        label: Label,
        name: impl Fn(NameId) -> &'a [u8],
    ) -> FingerprintHasher {
        match label {
            Label::Field(id) => self.text(b"field").text(name(id)),
            Label::Upvalue(id) => self.text(b"upvalue").text(name(id)),
            Label::Local(id) => self.text(b"local").text(name(id)),
            Label::Root(id) => self.text(b"root").text(name(id)),
            Label::UserValue(number) => self.text(b"user value").number(number.into()),
            Label::Index(index) => self.text(b"index").number(index as u64),
            Label::Number(number) => self.text(b"number").number(number.to_bits()),
            Label::Boolean(value) => self.text(b"boolean").number(value.into()),
            Label::Object(_) | Label::Address(..) => self.text(b"object"),
            Label::Key => self.text(b"key"),
            Label::Metatable => self.text(b"metatable"),
            Label::Environment => self.text(b"environment"),
            Label::Prototype => self.text(b"prototype"),
            Label::Constant => self.text(b"constant"),
            Label::DebugName => self.text(b"debug name"),
            Label::Value => self.text(b"value"),
            Label::Trace => self.text(b"trace"),
        }
    }

    /// Adds code that was loaded without a name, by the pattern of its path. That of rule 2 has no shape.
    pub(crate) fn loaded_code(
        self,
        pattern: Fingerprint,
        line: u32,
        shape: Option<CodeShape>,
    ) -> FingerprintHasher {
        let hasher = self.text(b"loaded code").number(pattern.0);
        let hasher = hasher.number(line.into());
        match shape {
            Some(shape) => hasher
                .number(shape.last_line.into())
                .number(shape.upvalues.into()),
            None => hasher,
        }
    }

    /// Adds strings, by the fingerprints of at most [`MAX_OWNERS`] groups that own them.
    pub(crate) fn strings_of(self, owners: impl Iterator<Item = Fingerprint>) -> FingerprintHasher {
        let mut prints = [u64::MAX; MAX_OWNERS];
        let mut count = 0;
        for (print, owner) in prints.iter_mut().zip(owners) {
            *print = owner.0;
            count += 1;
        }
        // The order in which the tree comes to the owners may differ from run to run.
        let prints = &mut prints[..count];
        prints.sort_unstable();
        let hasher = self.text(b"strings of");
        let add = |hasher: FingerprintHasher, print: &u64| hasher.number(*print);
        prints.iter().fold(hasher, add)
    }

    pub(crate) fn finish(self) -> Fingerprint {
        let mut bits = self.0;
        bits = (bits ^ bits >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        bits = (bits ^ bits >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        Fingerprint(bits ^ bits >> 33)
    }

    fn byte(self, byte: u8) -> FingerprintHasher {
        FingerprintHasher((self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
    }
}
