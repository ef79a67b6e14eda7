//! Text of objects, references and numbers.

pub(crate) mod block;
pub(crate) mod cut;
pub(crate) mod digits;
pub(crate) mod environment;
pub(crate) mod numbers;
pub(crate) mod object_label;
pub(crate) mod path;
pub(crate) mod printable;
pub(crate) mod step;
