//! What a user asks about: an object or a group, by whatever it is called.

use crate::answer_error::{AnswerError, Result};
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::labels::printable::printable;
use crate::query::lookup::{LookupError, address_of, object_at, object_by_chain, suggestions};
use crate::query::suggestions::Nearest;
use luasnap_heap::{NodeId, Snapshot};

/// What a word means in a snapshot.
#[derive(Clone, Debug)]
pub enum Target {
    /// One object: a node of [`Snapshot::everything`].
    Object(NodeId),
    /// The group of that index.
    Group(usize),
}

/// Why a word means nothing in a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It is an address or a chain, but leads to no object.
    #[error(transparent)]
    Object(#[from] LookupError),
    /// It is neither a chain nor the name of a group.
    #[error("{chain}; and no group is called '{word}'{}", suggestions(near))]
    Neither {
        /// What was wrong with it as a chain.
        chain: LookupError,
        /// The word.
        word: String,
        /// Groups whose names resemble it.
        near: Vec<String>,
    },
}

impl From<AnswerError> for TargetError {
    fn from(error: AnswerError) -> Self {
        TargetError::Object(error.into())
    }
}

/// Finds what a word means: an address (`0x55d0`, `table: 0x55d0`), a group's fingerprint or name, or
/// a chain (`_G.server.sessions`). A chain that is also a group's name means the object, and the place
/// of code its functions rather than their prototype.
pub fn find_target(snapshot: &Snapshot, word: &[u8]) -> Result<Target, TargetError> {
    let heap = snapshot.everything();
    if let Some(address) = address_of(word) {
        return Ok(Target::Object(object_at(heap, address)?));
    }
    let chain = match object_by_chain(heap, word) {
        Ok(node) => return Ok(Target::Object(node)),
        Err(LookupError::Failed(error)) => return Err(error.into()),
        Err(chain) => chain,
    };
    let groups = snapshot.groups().map_err(AnswerError::from)?;
    let printed = printable(word);
    let word = printed.as_bytes();
    let mut nearest = Nearest::to(word);
    let mut inner = None;
    for (index, group) in groups.groups().iter().enumerate() {
        let name = group_name(snapshot, groups, group)?;
        let has_name = name.as_bytes() == word;
        let is_meant = has_name && group.kind.is_object();
        if is_meant || fingerprint_text(group.fingerprint).as_bytes() == word {
            return Ok(Target::Group(index));
        }
        inner = inner.or(has_name.then_some(index));
        nearest.see(name.as_bytes());
    }
    match inner {
        Some(index) => Ok(Target::Group(index)),
        None => Err(TargetError::Neither {
            chain,
            word: printed,
            near: nearest.words(),
        }),
    }
}

impl Target {
    /// The objects that are meant.
    ///
    /// # Errors
    /// Only for lack of memory.
    pub fn nodes(&self, snapshot: &Snapshot) -> Result<Vec<NodeId>> {
        match self {
            Target::Object(node) => Ok(vec![*node]),
            Target::Group(index) => {
                let groups = snapshot.groups()?;
                let mut nodes = Vec::new();
                nodes.try_reserve_exact(groups.members(*index).len())?;
                nodes.extend_from_slice(groups.members(*index));
                Ok(nodes)
            }
        }
    }
}
