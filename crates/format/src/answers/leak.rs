//! Leaks of a function that ran several times, as rows: one for each cause.

use crate::answers::growth::{GrowthAnswer, GrowthRow, SuspectRow};
use crate::answers::name::Name;
use luasnap_heap::Kind;
use luasnap_words::Sentence;

/// A leak: groups that grew in every run and accumulate at one place.
#[derive(Clone, Debug)]
pub struct LeakRow<'a> {
    /// The leak suspect with the place; `None` for a group beyond those that suspects are made of.
    pub suspect: Option<&'a SuspectRow>,
    /// The groups, those of the suspect in its order; at least one.
    pub groups: Vec<&'a GrowthRow>,
}

impl<'a> LeakRow<'a> {
    /// The fingerprint that allows all of its groups.
    pub fn fingerprint(&self) -> &'a str {
        match self.suspect {
            Some(suspect) => &suspect.fingerprint,
            None => &self.groups[0].fingerprint,
        }
    }

    /// The path to an object that came, and what that is where the path does not say it; `None` if the first group's
    /// name says as much.
    pub fn example(&self) -> Option<(&'a Name, Option<&'a Sentence>)> {
        let first = self.groups[0];
        let (example, is) = match self.suspect {
            // The one below the point; of the suspect's first group, which may be one that is allowed.
            Some(suspect)
                if suspect.fingerprint == first.fingerprint && suspect.example != first.example =>
            {
                (&suspect.example, suspect.example_is.as_ref())
            }
            _ => (&first.example, first.example_is.as_ref()),
        };
        (*example != first.name || is.is_some()).then_some((example, is))
    }
}

/// Names and fingerprints of what may grow, as a user gives them.
#[derive(Clone, Debug, Default)]
pub struct Allowed(Vec<Vec<u8>>);

impl Allowed {
    /// Takes names of groups, their fingerprints, and fingerprints of suspects.
    pub fn new(list: Vec<Vec<u8>>) -> Allowed {
        Allowed(list)
    }

    /// Returns the fingerprints of older releases in the list that stand for a leak's groups: [`LeakRow::fingerprint`]
    /// replaces them.
    pub fn replaced_by<'a>(&self, leak: &LeakRow<'a>) -> Vec<&'a str> {
        let groups = leak.groups.iter().copied();
        let older = groups.flat_map(|group| &group.older_fingerprints);
        let mut older: Vec<&str> = older
            .map(String::as_str)
            .filter(|older| self.has(older))
            .collect();
        older.dedup();
        older
    }

    fn has(&self, fingerprint: &str) -> bool {
        self.0.iter().any(|one| one == fingerprint.as_bytes())
    }

    fn has_group(&self, row: &GrowthRow) -> bool {
        self.has(&row.fingerprint) || self.0.iter().any(|one| row.name.is_meant_by(one))
    }
}

/// Returns the leaks in what grew over the runs of a function, those that grew most first. What is allowed is none, nor
/// is what LuaJIT compiles, nor a group that is larger only because members of another one came into it.
pub fn leaks<'a>(answer: &'a GrowthAnswer, allowed: &Allowed) -> Vec<LeakRow<'a>> {
    let mut has_suspect = vec![false; answer.growing.len()];
    let mut leaks = Vec::new();
    for suspect in &answer.suspects {
        for &at in &suspect.rows {
            has_suspect[at] = true;
        }
        if allowed.has(&suspect.fingerprint) {
            continue;
        }
        let has_members = |row: &GrowthRow| row.count_change > 0;
        let some_came = answer.rows_of(suspect).any(has_members);
        let is_leak = |row: &&GrowthRow| {
            let is_told = row.count_change != 0 || !some_came;
            is_told && !is_compiled(row) && !allowed.has_group(row)
        };
        let groups: Vec<&GrowthRow> = answer.rows_of(suspect).filter(is_leak).collect();
        if !groups.is_empty() {
            let suspect = Some(suspect);
            leaks.push(LeakRow { suspect, groups });
        }
    }
    let rest = answer.growing.iter().zip(has_suspect);
    let rest = rest
        .filter(|(row, has_suspect)| !has_suspect && !is_compiled(row) && !allowed.has_group(row));
    leaks.extend(rest.map(|(row, _)| LeakRow {
        suspect: None,
        groups: vec![row],
    }));
    leaks
}

/// Whether a group is code that LuaJIT compiled, or what such code alone keeps: it comes with each run that makes other
/// code hot.
fn is_compiled(row: &GrowthRow) -> bool {
    row.kind == Kind::Trace || row.is_behind_trace
}
