//! Environments: tables in which code finds its global variables, besides the table of globals.

use crate::graph::name::NameId;
use crate::graph::node::NodeId;

/// An environment at which paths for people start: no path with lasting names leads to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Environment {
    /// The table.
    pub node: NodeId,
    /// The short source of the code that has it; of several, the first by bytes. Empty if none has a name.
    pub chunk: NameId,
}
