//! Changes of what is read but not of where it lies, and changes that nothing that is read shows.

mod jit;
mod puc;
mod replacement;

use super::mutant::{Edit, Mutant};
use super::vm::{Family, Vm};
use anyhow::Result;
use replacement::END;

/// Those of a VM that its release has the words of.
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
