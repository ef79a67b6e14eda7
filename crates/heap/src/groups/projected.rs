//! Groups without their members, with the names of another heap.

use crate::build::excerpt::NameCopy;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::groups::class::ClassName;
use crate::groups::group::{Group, GroupName, Groups};
use crate::groups::path_pattern::{GroupStep, PatternId};

impl Groups {
    /// Returns some of these groups, in the order of `kept`, with their names in the copy, and the new index of each
    /// by the old one. `counted` has their counts and sizes, by old index. The groups that own strings together with
    /// others are among `kept`.
    pub(crate) fn projected(
        &self,
        counted: &[Group],
        kept: &[usize],
        names: &mut NameCopy<'_>,
    ) -> Result<(Groups, Vec<u32>), BuildError> {
        let mut new_index = filled(counted.len(), u32::MAX)?;
        for (new, &old) in kept.iter().enumerate() {
            new_index[old] = new as u32;
        }
        let wanted = kept.iter().flat_map(|&at| {
            let group = &counted[at];
            let named = match group.name {
                GroupName::HeldBy(pattern) | GroupName::Class(ClassName::HeldBy(pattern)) => {
                    pattern
                }
                GroupName::LoadedCode { pattern, .. } => pattern,
                _ => group.pattern,
            };
            [group.pattern, named]
        });
        let (patterns, new_pattern) = self.patterns.excerpt(wanted, |step| {
            Ok(match step {
                GroupStep::Exact(label) => GroupStep::Exact(names.label(label)?),
                GroupStep::Environment(chunk) => GroupStep::Environment(names.name(chunk)?),
                step => step,
            })
        })?;
        let pattern = |pattern: PatternId| new_pattern[pattern.0 as usize];
        let mut projected = Groups::with_patterns(patterns);
        for &at in kept {
            let group = counted[at];
            let name = match group.name {
                GroupName::HeldBy(of) => GroupName::HeldBy(pattern(of)),
                GroupName::Class(ClassName::HeldBy(of)) => {
                    GroupName::Class(ClassName::HeldBy(pattern(of)))
                }
                GroupName::Class(ClassName::Own(name)) => {
                    GroupName::Class(ClassName::Own(names.name(name)?))
                }
                GroupName::Code { source, line } => GroupName::Code {
                    source: names.name(source)?,
                    line,
                },
                GroupName::Coroutine(name) => {
                    GroupName::Coroutine(name.with_names(|name| names.name(name))?)
                }
                GroupName::LoadedCode {
                    pattern: of,
                    line,
                    shape,
                } => GroupName::LoadedCode {
                    pattern: pattern(of),
                    line,
                    shape,
                },
                GroupName::StringsOf(owners) => {
                    GroupName::StringsOf(projected.add_owners(self, owners, &new_index)?)
                }
                GroupName::SharedStrings => GroupName::SharedStrings,
            };
            let group = Group {
                name,
                pattern: pattern(group.pattern),
                ..group
            };
            push(&mut projected.groups, group)?;
        }
        Ok((projected, new_index))
    }
}
