//! The groups of a difference as rows of 64-bit numbers.

use crate::luasnap::label_words::{label, tag_and_value};
use luasnap_heap::{
    ClassName, CodePlace, CodeShape, CoroutineName, Fingerprint, Group, GroupName, GroupStep, Kind,
    NameId, OwnerGroupsId, PatternId, Rank, Resized, StoredGroups, StoredPattern, ThreadStatus,
};

/// The numbers of a pattern: the one above it and 1, or 0; its kind; its step, with the tag and the value of a label.
pub(super) type PatternRow = [u64; 5];
/// The numbers of a group: its name, which is a tag and six numbers; its kind, its pattern, whether all have that; its
/// count, shallow size, entries, retained size and example.
pub(super) type GroupRow = [u64; 15];
/// The numbers of what grew or shrank: its group; objects, entries, bytes; entries and bytes now; its example.
pub(super) type ResizedRow = [u64; 7];

/// The tags of steps.
mod step {
    pub const EXACT: u64 = 0;
    pub const ANY_KEY: u64 = 1;
    pub const ANY_NAME: u64 = 2;
    pub const REFERENCE: u64 = 3;
    pub const GLOBALS: u64 = 4;
    pub const LOADED: u64 = 5;
    pub const ENVIRONMENT: u64 = 6;
}

/// The tags of names.
mod name {
    pub const HELD_BY: u64 = 0;
    pub const CLASS: u64 = 1;
    pub const CLASS_HELD_BY: u64 = 2;
    pub const CODE: u64 = 3;
    pub const LOADED_CODE: u64 = 4;
    pub const COROUTINE: u64 = 5;
    pub const STRINGS_OF: u64 = 6;
    pub const SHARED_STRINGS: u64 = 7;
}

pub(super) fn pattern_row(pattern: &StoredPattern) -> PatternRow {
    let (tag, label_tag, value) = match pattern.step {
        GroupStep::Exact(label) => {
            let (tag, value) = tag_and_value(label);
            (step::EXACT, u64::from(tag), value)
        }
        GroupStep::AnyKey => (step::ANY_KEY, 0, 0),
        GroupStep::AnyName => (step::ANY_NAME, 0, 0),
        GroupStep::Reference => (step::REFERENCE, 0, 0),
        GroupStep::Globals => (step::GLOBALS, 0, 0),
        GroupStep::Loaded => (step::LOADED, 0, 0),
        GroupStep::Environment(chunk) => (step::ENVIRONMENT, 0, chunk.0.into()),
    };
    let parent = pattern.parent.map_or(0, |parent| u64::from(parent.0) + 1);
    [parent, pattern.kind as u64, tag, label_tag, value]
}

pub(super) fn pattern(row: PatternRow) -> Option<StoredPattern> {
    let [parent, kind, tag, label_tag, value] = row;
    Some(StoredPattern {
        parent: match parent.checked_sub(1) {
            Some(parent) => Some(PatternId(u32::try_from(parent).ok()?)),
            None => None,
        },
        kind: kind_of(kind)?,
        step: match tag {
            step::EXACT => GroupStep::Exact(label(u8::try_from(label_tag).ok()?, value)?),
            step::ANY_KEY => GroupStep::AnyKey,
            step::ANY_NAME => GroupStep::AnyName,
            step::REFERENCE => GroupStep::Reference,
            step::GLOBALS => GroupStep::Globals,
            step::LOADED => GroupStep::Loaded,
            step::ENVIRONMENT => GroupStep::Environment(name_id(value)?),
            _ => return None,
        },
    })
}

/// Returns the row of a group of these.
pub(super) fn group_row(stored: &StoredGroups, group: &Group) -> GroupRow {
    let mut row = [0; 15];
    let (tag, numbers) = name_row(stored, group.name);
    row[0] = tag;
    row[1..7].copy_from_slice(&numbers);
    row[7..].copy_from_slice(&[
        group.kind as u64,
        group.pattern.0.into(),
        group.has_one_pattern.into(),
        group.count.into(),
        group.shallow,
        group.entries,
        group.retained,
        group.example.0.into(),
    ]);
    row
}

fn name_row(stored: &StoredGroups, name: GroupName) -> (u64, [u64; 6]) {
    let place = |place: CodePlace| [u64::from(place.source.0), u64::from(place.line)];
    match name {
        GroupName::HeldBy(pattern) => (name::HELD_BY, first([pattern.0.into()])),
        GroupName::Class(ClassName::Own(name)) => (name::CLASS, first([name.0.into()])),
        GroupName::Class(ClassName::HeldBy(pattern)) => {
            (name::CLASS_HELD_BY, first([pattern.0.into()]))
        }
        GroupName::Code { source, line } => {
            let code = CodePlace { source, line };
            (name::CODE, first(place(code)))
        }
        GroupName::LoadedCode {
            pattern,
            line,
            shape,
        } => {
            let is_known = u64::from(shape.is_some());
            let shape = shape.unwrap_or_default();
            let (last, upvalues) = (shape.last_line.into(), shape.upvalues.into());
            let numbers = [pattern.0.into(), line.into(), is_known, last, upvalues];
            (name::LOADED_CODE, first(numbers))
        }
        GroupName::Coroutine(of) => {
            let ([source, line], [caller, caller_line]) = (place(of.place), place(of.caller));
            let (status, defined) = (of.status as u64, of.defined.into());
            let numbers = [status, source, line, defined, caller, caller_line];
            (name::COROUTINE, numbers)
        }
        GroupName::StringsOf(OwnerGroupsId(owners)) => {
            let mut numbers = [0; 6];
            for (number, owner) in numbers.iter_mut().zip(&stored.owners[owners as usize]) {
                *number = u64::from(*owner) + 1;
            }
            (name::STRINGS_OF, numbers)
        }
        GroupName::SharedStrings => (name::SHARED_STRINGS, [0; 6]),
    }
}

/// Returns these numbers, followed by zeros.
fn first<const N: usize>(numbers: [u64; N]) -> [u64; 6] {
    let mut all = [0; 6];
    all[..N].copy_from_slice(&numbers);
    all
}

/// Returns a group, and the owners that its name has; these have the id that is given.
pub(super) fn group(row: GroupRow, owners: OwnerGroupsId) -> Option<(Group, Vec<u32>)> {
    let number = |at: usize| u32::try_from(row[at]).ok();
    let numbers = [row[1], row[2], row[3], row[4], row[5], row[6]];
    let mut own = Vec::new();
    let name = match row[0] {
        name::STRINGS_OF => {
            for owner in numbers.into_iter().take_while(|owner| *owner > 0) {
                own.push(u32::try_from(owner - 1).ok()?);
            }
            GroupName::StringsOf(owners)
        }
        tag => name_of(tag, numbers)?,
    };
    let group = Group {
        name,
        kind: kind_of(row[7])?,
        pattern: PatternId(number(8)?),
        has_one_pattern: flag(row[9])?,
        count: number(10)?,
        shallow: row[11],
        entries: row[12],
        retained: row[13],
        example: Rank(number(14)?),
        fingerprint: Fingerprint::default(),
    };
    Some((group, own))
}

fn name_of(tag: u64, numbers: [u64; 6]) -> Option<GroupName> {
    let number = |at: usize| u32::try_from(numbers[at]).ok();
    let place = |at: usize| {
        Some(CodePlace {
            source: NameId(number(at)?),
            line: number(at + 1)?,
        })
    };
    Some(match tag {
        name::HELD_BY => GroupName::HeldBy(PatternId(number(0)?)),
        name::CLASS => GroupName::Class(ClassName::Own(NameId(number(0)?))),
        name::CLASS_HELD_BY => GroupName::Class(ClassName::HeldBy(PatternId(number(0)?))),
        name::CODE => {
            let CodePlace { source, line } = place(0)?;
            GroupName::Code { source, line }
        }
        name::LOADED_CODE => {
            let shape = CodeShape {
                last_line: number(3)?,
                upvalues: u8::try_from(numbers[4]).ok()?,
            };
            GroupName::LoadedCode {
                pattern: PatternId(number(0)?),
                line: number(1)?,
                shape: flag(numbers[2])?.then_some(shape),
            }
        }
        name::COROUTINE => GroupName::Coroutine(CoroutineName {
            status: ThreadStatus::from_number(u8::try_from(numbers[0]).ok()?)?,
            place: place(1)?,
            defined: number(3)?,
            caller: place(4)?,
        }),
        name::SHARED_STRINGS => GroupName::SharedStrings,
        _ => return None,
    })
}

pub(super) fn resized_row(resized: &Resized) -> ResizedRow {
    [
        resized.group as u64,
        resized.objects,
        resized.entries,
        resized.bytes,
        resized.entries_now,
        resized.bytes_now,
        resized.example.0.into(),
    ]
}

pub(super) fn resized(row: ResizedRow) -> Option<Resized> {
    let [
        group,
        objects,
        entries,
        bytes,
        entries_now,
        bytes_now,
        example,
    ] = row;
    Some(Resized {
        group: usize::try_from(group).ok()?,
        objects,
        entries,
        bytes,
        entries_now,
        bytes_now,
        example: Rank(u32::try_from(example).ok()?),
    })
}

fn kind_of(number: u64) -> Option<Kind> {
    Kind::from_number(u8::try_from(number).ok()?)
}

fn name_id(number: u64) -> Option<NameId> {
    u32::try_from(number).ok().map(NameId)
}

fn flag(number: u64) -> Option<bool> {
    match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}
