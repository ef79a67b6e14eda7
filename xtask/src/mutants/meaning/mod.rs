//! Changes of the meaning of what is read, but not of its place, and changes that do not affect
//! what is read.

mod jit;
mod puc;
mod replacement;

use super::mutant::{Edit, Mutant};
use super::vm::{Family, Vm};
use anyhow::Result;
use replacement::END;

/// Returns the changes of a VM whose texts occur in its release.
pub fn mutants(vm: &Vm) -> Result<Vec<Mutant<'_>>> {
    let meanings = match vm.family {
        Family::Puc(_) => puc::MEANINGS,
        Family::Jit => jit::MEANINGS,
    };
    let mut all = Vec::new();
    for (name, change, replacements) in meanings {
        let mut edits = Vec::new();
        for (file, old, new) in *replacements {
            let text = vm.text(file)?.unwrap_or_default();
            let place = match *old {
                END => Some(text.len()),
                old => text.find(old),
            };
            edits.extend(place.map(|place| Edit {
                file: (*file).into(),
                place: place..place + old.len(),
                text: (*new).into(),
            }));
        }
        if edits.len() == replacements.len() {
            all.push(Mutant {
                name: format!("{}/{name}", vm.name),
                vm,
                edits,
                change: *change,
            });
        }
    }
    Ok(all)
}
