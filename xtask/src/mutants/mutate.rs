//! Changed VMs, as edits of their sources.

use super::meaning;
use super::mutant::{Change, Edit, Mutant};
use super::parse::{self, Body, Member};
use super::vm::{Family, MACROS, Vm};
use anyhow::{Context, Result};
use std::ops::Range;

/// A way to change a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    WordBefore,
    /// With the next.
    Swapped,
    Removed,
    /// Swaps the declarators of one declaration.
    DeclaratorsSwapped,
}

const WAYS: [(Way, &str); 4] = [
    (Way::WordBefore, "word-before"),
    (Way::Swapped, "swapped"),
    (Way::Removed, "taken-out"),
    (Way::DeclaratorsSwapped, "turned"),
];

/// A member that nothing uses.
const WORD: &str = "size_t mutants_word; ";

/// Structures that share their beginning: a change of the first also applies to the second.
const TWINS: [(&str, &str); 1] = [("Udata", "Udata0")];

/// LuaJIT needs some members at the same offset in all its objects: a word is inserted before all
/// of them.
const TOGETHER: [(&str, &[(&str, &str)]); 3] = [
    (
        "GChead.env",
        &[
            ("GChead", "env"),
            ("GCfuncHeader", "env"),
            ("GCudata", "env"),
            ("GCtab", "array"),
            ("GCproto", "gclist"),
            ("lua_State", "gclist"),
            ("GCtrace", "gclist"),
        ],
    ),
    (
        "GChead.gclist",
        &[
            ("GChead", "gclist"),
            ("GCfuncHeader", "gclist"),
            ("GCudata", "metatable"),
            ("GCtab", "gclist"),
            ("GCproto", "gclist"),
            ("lua_State", "gclist"),
            ("GCtrace", "gclist"),
        ],
    ),
    (
        "GChead.metatable",
        &[
            ("GChead", "metatable"),
            ("GCudata", "metatable"),
            ("GCtab", "metatable"),
        ],
    ),
];

/// Returns every mutant of a VM, the unchanged VM first.
pub fn mutants(vm: &Vm) -> Result<Vec<Mutant<'_>>> {
    let mut all = vec![Mutant {
        name: format!("{}/unchanged", vm.name),
        vm,
        edits: Vec::new(),
        change: Change::None,
    }];
    let mut files = Vec::new();
    for (file, structures) in vm.structures() {
        if let Some(text) = vm.text(file)? {
            files.push(File {
                name: file,
                bodies: parse::bodies(&text, &MACROS),
                text,
                structures,
            });
        }
    }
    for file in &files {
        for body in file.bodies.iter().filter(|body| file.is_read(body)) {
            all.extend(mutants_of(vm, file, body));
        }
    }
    if vm.family == Family::Jit {
        for (name, places) in TOGETHER {
            let edits = places
                .iter()
                .map(|(body, member)| word_before(&files, body, member));
            all.push(Mutant {
                name: format!("{}/{name}/word-before", vm.name),
                vm,
                edits: edits.collect::<Result<_>>()?,
                change: Change::Members,
            });
        }
    }
    all.extend(meaning::mutants(vm)?);
    Ok(all)
}

/// A header.
struct File<'a> {
    name: &'a str,
    text: String,
    bodies: Vec<Body>,
    structures: &'a [&'a str],
}

impl File<'_> {
    /// Whether a body is one of the structures that are read, or inside one. In a union all members
    /// are at the same place anyway.
    fn is_read(&self, body: &Body) -> bool {
        let whole = body.name.split('.').next().unwrap_or_default();
        !body.is_union && self.structures.contains(&whole)
    }

    fn edit(&self, place: Range<usize>, text: impl Into<String>) -> Edit {
        Edit {
            file: self.name.into(),
            place,
            text: text.into(),
        }
    }

    /// Returns the edits that change a member; `None` where it cannot be changed in this way.
    fn edits(&self, body: &Body, member: &Member, way: Way) -> Option<Vec<Edit>> {
        let own = member.declaration.clone();
        let text = |place: &Range<usize>| self.text[place.clone()].to_owned();
        match way {
            Way::WordBefore => Some(vec![self.edit(own.start..own.start, WORD)]),
            Way::Removed => Some(vec![self.edit(own, "")]),
            Way::Swapped => {
                let at = body.members.iter().position(|known| known == member)?;
                let next = body.members.get(at + 1)?;
                if member.is_before_directive {
                    return None;
                }
                let (first, second) = (text(&own), text(&next.declaration));
                Some(vec![
                    self.edit(own, second),
                    self.edit(next.declaration.clone(), first),
                ])
            }
            Way::DeclaratorsSwapped => {
                let [first, second] = &member.declarators[..] else {
                    return None;
                };
                Some(vec![
                    self.edit(first.clone(), text(second)),
                    self.edit(second.clone(), text(first)),
                ])
            }
        }
    }
}

/// Returns every change of every member of a structure.
fn mutants_of<'a>(vm: &'a Vm, file: &File<'_>, body: &Body) -> Vec<Mutant<'a>> {
    let change = match MACROS.contains(&&*body.name) {
        true => Change::Headers,
        false => Change::Members,
    };
    let twin = TWINS
        .iter()
        .find(|(first, _)| *first == body.name)
        .and_then(|(_, second)| file.bodies.iter().find(|known| known.name == *second));
    let mut all = Vec::new();
    for member in &body.members {
        // The members at the start of all objects are changed in all of them, as a structure of
        // their own.
        if MACROS.contains(&&*member.name) {
            continue;
        }
        for (way, name) in WAYS {
            let Some(mut edits) = file.edits(body, member, way) else {
                continue;
            };
            if let Some(twin) = twin {
                edits.extend(edits_of_twin(file, (body, twin), member, way));
            }
            all.push(Mutant {
                name: format!("{}/{}.{}/{name}", vm.name, body.name, member.name),
                vm,
                edits,
                change,
            });
        }
    }
    all
}

/// The same change in a structure that begins like another.
fn edits_of_twin(
    file: &File<'_>,
    (body, twin): (&Body, &Body),
    member: &Member,
    way: Way,
) -> Vec<Edit> {
    let Some(own) = twin.member(&member.name) else {
        return Vec::new();
    };
    let after = |body: &Body, name: &str| {
        let at = body.members.iter().position(|known| known.name == name);
        at.and_then(|at| Some(body.members.get(at + 1)?.name.clone()))
    };
    if way == Way::Swapped && after(body, &member.name) != after(twin, &member.name) {
        return Vec::new();
    }
    file.edits(twin, own, way).unwrap_or_default()
}

/// Inserts a word before a member.
fn word_before(files: &[File<'_>], body: &str, member: &str) -> Result<Edit> {
    let found = files.iter().find_map(|file| {
        let body = file.bodies.iter().find(|known| known.name == body)?;
        let place = body.member(member)?.declaration.start;
        Some(file.edit(place..place, WORD))
    });
    found.with_context(|| format!("there is no {body}.{member}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn vms() -> Vec<Vm> {
        Vm::all(true).expect("the sources")
    }

    fn vm(name: &str) -> Vm {
        let mut vms = vms().into_iter();
        vms.find(|vm| vm.name == name).expect("the release")
    }

    /// Returns the text of a file of a mutant.
    fn text(vm: &Vm, name: &str, file: &str) -> String {
        let mutants = mutants(vm).expect("the mutants");
        let name = format!("{}/{name}", vm.name);
        let mutant = mutants.iter().find(|mutant| mutant.name == name);
        let mutant = mutant.unwrap_or_else(|| panic!("there is no {name}"));
        mutant.texts().expect("its texts")[file].clone()
    }

    #[test]
    fn there_are_hundreds_and_each_is_another() {
        for vm in vms() {
            let mutants = mutants(&vm).expect("the mutants");
            assert!(mutants.len() > 250, "{}: {}", vm.name, mutants.len());
            let names: BTreeSet<_> = mutants.iter().map(|mutant| &mutant.name).collect();
            assert_eq!(names.len(), mutants.len(), "{}", vm.name);
            for mutant in &mutants[1..] {
                let texts = mutant.texts().expect("its texts");
                assert!(!texts.is_empty(), "{}", mutant.name);
                for (file, text) in texts {
                    let released = vm.text(file).expect("the file");
                    assert_ne!(Some(text), released, "{}", mutant.name);
                }
            }
        }
    }

    #[test]
    fn every_structure_that_is_read_is_changed() {
        for vm in vms() {
            let mutants = mutants(&vm).expect("the mutants");
            for (file, structures) in vm.structures() {
                let Some(text) = vm.text(file).expect("the file") else {
                    continue;
                };
                for structure in *structures {
                    // Not every release has each of them, nor in the same file.
                    if !text.contains(&format!("struct {structure} {{")) {
                        continue;
                    }
                    let start = format!("{}/{structure}.", vm.name);
                    let changed = mutants.iter().filter(|one| one.name.starts_with(&start));
                    assert!(changed.count() > 1, "{start}");
                }
            }
        }
    }

    #[test]
    fn members_are_moved_as_their_names_say() {
        let vm = vm("5.4.9");
        let header = |name| text(&vm, name, "lobject.h");
        assert!(header("Table.array/word-before").contains("size_t mutants_word; TValue *array;"));
        let swapped = header("Table.array/swapped");
        assert!(swapped.contains("Node *node;  /* array part */\n  TValue *array;"));
        let without = header("Proto.gclist/taken-out");
        assert!(
            without.contains("TString  *source;  /* used for debug information */\n  ;\n} Proto;")
        );
        let turned = text(&vm, "CallInfo.previous/turned", "lstate.h");
        assert!(turned.contains("struct CallInfo *next, *previous;"));
        let header = header("CommonHeader.tt/swapped");
        assert!(header.contains("struct GCObject *next; lu_byte marked; lu_byte tt\n"));
    }

    #[test]
    fn twins_are_changed_together() {
        let text = text(&vm("5.4.9"), "Udata.len/word-before", "lobject.h");
        assert_eq!(text.matches("size_t mutants_word; size_t len;").count(), 2);
    }

    #[test]
    fn the_newest_releases_have_every_change_of_meaning() {
        let expected = [
            ("5.1.5", 10),
            ("5.2.4", 14),
            ("5.3.6", 21),
            ("5.4.9", 28),
            ("5.5.1", 28),
            ("5.4.7-of-skynet", 28),
            ("5.5.0-of-skynet", 28),
            ("LuaJIT", 11),
            ("LuaJIT-without-GC64", 11),
            ("LuaJIT-with-table-bump", 11),
        ];
        for (name, count) in expected {
            let vm = vm(name);
            let found = meaning::mutants(&vm).expect("the mutants");
            assert_eq!(found.len(), count, "{name}");
        }
    }
}
