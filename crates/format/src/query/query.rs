//! What a user asks about: an object or a group, by whatever it is called.

use crate::answer_error::{AnswerError, Result};
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::labels::printable::printable;
use crate::query::lookup::{LookupError, address_of, object_at, object_by_path, suggestions};
use crate::query::suggestions::Nearest;
use luasnap_heap::{NodeId, Snapshot};

/// What a word means in a snapshot.
#[derive(Clone, Debug)]
pub enum Query {
    /// One object: a node of [`Snapshot::everything`].
    Object(NodeId),
    /// The group of that index.
    Group(usize),
}

/// Why a word means nothing in a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It is an address or a path, but leads to no object.
    #[error(transparent)]
    Object(#[from] LookupError),
    /// It is neither a path nor the name of a group.
    #[error("{path}; and no group is called '{word}'{}", suggestions(near))]
    Neither {
        /// What was wrong with it as a path.
        path: LookupError,
        /// The word.
        word: String,
        /// Groups whose names resemble it.
        near: Vec<String>,
    },
}

impl From<AnswerError> for QueryError {
    fn from(error: AnswerError) -> Self {
        QueryError::Object(error.into())
    }
}

/// Finds what a word means: an address (`0x55d0`, `table: 0x55d0`), a group's fingerprint or name, or
/// a path (`_G.server.sessions`). A path that is also a group's name means the object, and the place
/// of code its functions rather than their prototype.
pub fn resolve(snapshot: &Snapshot, word: &[u8]) -> Result<Query, QueryError> {
    let heap = snapshot.everything();
    if let Some(address) = address_of(word) {
        return Ok(Query::Object(object_at(heap, address)?));
    }
    let path = match object_by_path(heap, word) {
        Ok(node) => return Ok(Query::Object(node)),
        Err(LookupError::Failed(error)) => return Err(error.into()),
        Err(path) => path,
    };
    let groups = snapshot.groups().map_err(AnswerError::from)?;
    let printed = printable(word);
    let mut nearest = Nearest::to(printed.as_bytes());
    let mut inner = None;
    for (index, group) in groups.groups().iter().enumerate() {
        let name = group_name(snapshot, groups, group)?;
        let has_name = name.is_meant_by(word);
        let is_meant = has_name && group.kind.is_object();
        if is_meant || fingerprint_text(group.fingerprint).as_bytes() == word {
            return Ok(Query::Group(index));
        }
        inner = inner.or(has_name.then_some(index));
        nearest.see(name.to_string().as_bytes());
    }
    match inner {
        Some(index) => Ok(Query::Group(index)),
        None => Err(QueryError::Neither {
            path,
            word: printed,
            near: nearest.words(),
        }),
    }
}

impl Query {
    /// The objects that are meant.
    ///
    /// # Errors
    /// Only for lack of memory.
    pub fn nodes(&self, snapshot: &Snapshot) -> Result<Vec<NodeId>> {
        match self {
            Query::Object(node) => Ok(vec![*node]),
            Query::Group(index) => {
                let groups = snapshot.groups()?;
                let mut nodes = Vec::new();
                nodes.try_reserve_exact(groups.members(*index).len())?;
                nodes.extend_from_slice(groups.members(*index));
                Ok(nodes)
            }
        }
    }
}
