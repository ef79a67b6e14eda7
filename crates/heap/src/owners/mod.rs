//! Whose objects are: the plugins, modules and folders of source whose code holds them.

pub(crate) mod code_name;
pub(crate) mod constants;
pub(crate) mod evidence;
pub(crate) mod joint_owners;
pub(crate) mod owned;
pub(crate) mod places;
pub(crate) mod rounds;
pub(crate) mod source_path;
pub(crate) mod sources;
pub(crate) mod spread;
