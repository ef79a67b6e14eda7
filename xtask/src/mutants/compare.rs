//! Checks what was found in a changed VM.

use super::run::{Examined, Listing, Ran};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The result of a mutant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It cannot be compiled; why.
    NotCompiled(String),
    /// It cannot run the script, or is not what it was meant to be.
    Broken(String),
    /// Everything is right, from inside and from outside.
    Right,
    /// The layout was not recognized, from inside, from outside, or both; why.
    Refused(String),
    /// Something is wrong; what.
    Wrong(String),
}

/// Longer texts that are not names may be truncated to this many bytes.
const SHORT: usize = 40;
/// Keys of a table in the script, which both engines could misread alike.
const KEYS: [&str; 3] = [" Index(-7) -> ", " Index(1000000) -> ", " Number(1.5) -> "];
/// Most differences that are reported.
const MAX_REPORTED: usize = 6;

/// Returns the verdict on a run.
pub fn verdict(ran: &Ran) -> Verdict {
    let examined = match ran {
        Ran::Broken(why) => return Verdict::Broken(why.clone()),
        Ran::Harmed(why) => return Verdict::Wrong(format!("it did not survive: {why}")),
        Ran::Examined(examined) => examined,
    };
    if let Err(why) = &examined.module {
        // There is nothing to compare a capture from outside with.
        return match &examined.attached {
            Ok(_) => Verdict::Wrong(format!("captured from outside; from inside: {why}")),
            Err(refusal) => Verdict::Refused(format!("{why}; from outside: {refusal}")),
        };
    }
    let Ok(portable) = &examined.portable else {
        let why = examined.portable.as_ref().err();
        return Verdict::Wrong(format!("the portable engine: {why:?}"));
    };
    if let Some(key) = KEYS.iter().find(|key| !portable.contains(**key)) {
        return Verdict::Wrong(format!("the portable engine does not find the key{key}..."));
    }
    let sides = [
        ("from inside", &examined.native),
        ("from outside", &examined.attached),
    ];
    let (mut refusals, mut errors) = (Vec::new(), Vec::new());
    for (side, listing) in sides {
        match differences(listing, portable, examined) {
            Err(refusal) => refusals.push(format!("{side}: {refusal}")),
            Ok(None) => {}
            Ok(Some(difference)) => errors.push(format!("{side}:\n{difference}")),
        }
    }
    match (&errors[..], &refusals[..]) {
        ([], []) => Verdict::Right,
        ([], refusals) => Verdict::Refused(refusals.join("; ")),
        (errors, _) => Verdict::Wrong(errors.join("\n")),
    }
}

/// Returns the differences of a listing from the other engine's and from the dump; an error if
/// there is no listing.
fn differences(
    listing: &Listing,
    portable: &str,
    examined: &Examined,
) -> Result<Option<String>, String> {
    let listing = listing.as_ref().map_err(Clone::clone)?;
    let view = views_differ(listing, portable);
    let raw = raw_differs(listing, &examined.dump);
    Ok(match (view, raw) {
        (None, None) => None,
        (view, raw) => Some([view, raw].into_iter().flatten().collect()),
    })
}

/// Returns the differences between two `objects` views.
fn views_differ(listing: &str, portable: &str) -> Option<String> {
    let lines = |text: &'_ str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("raw "));
        lines.map(str::to_owned).collect()
    };
    let (found, expected) = (lines(listing), lines(portable));
    if found == expected {
        return None;
    }
    let (all_found, all_expected) = (
        found.iter().collect::<BTreeSet<_>>(),
        expected.iter().collect::<BTreeSet<_>>(),
    );
    let mut said = String::new();
    for line in all_found.difference(&all_expected).take(MAX_REPORTED) {
        let _ = writeln!(said, "  found    {line}");
    }
    for line in all_expected.difference(&all_found).take(MAX_REPORTED) {
        let _ = writeln!(said, "  expected {line}");
    }
    if said.is_empty() {
        said.push_str("  the order is another\n");
    }
    Some(said)
}

/// An object: its kind, its size, and for a string its text.
type Raw<'a> = (&'a str, &'a str, &'a str);

/// Returns how objects, sizes and texts differ from the dump.
fn raw_differs(listing: &str, dump: &str) -> Option<String> {
    let (found, expected) = (raw(listing), raw(dump));
    let mut said = String::new();
    let addresses: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let different = addresses.into_iter().filter(|address| {
        let (found, expected) = (found.get(**address), expected.get(**address));
        !found
            .zip(expected)
            .is_some_and(|(found, expected)| is_same(found, expected))
    });
    for address in different.take(MAX_REPORTED) {
        let show = |one: Option<&Raw<'_>>| match one {
            Some((kind, size, text)) => {
                let text: String = text.chars().take(2 * SHORT).collect();
                format!("{kind} of {size} bytes {text}")
            }
            None => "nothing".to_owned(),
        };
        let (found, expected) = (found.get(*address), expected.get(*address));
        let _ = writeln!(
            said,
            "  found    {} at {address}\n  expected {}",
            show(found),
            show(expected)
        );
    }
    (!said.is_empty()).then_some(said)
}

fn raw(text: &str) -> BTreeMap<&str, Raw<'_>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("raw "));
    let parts = lines.filter_map(|line| {
        let mut words = line.split(' ');
        let (kind, address, size) = (words.next()?, words.next()?, words.next()?);
        Some((address, (kind, size, words.next().unwrap_or_default())))
    });
    parts.collect()
}

/// Whether an object agrees with the dump. A long string that is not a name has only its beginning.
fn is_same(found: &Raw<'_>, expected: &Raw<'_>) -> bool {
    let begins = found.2.len() == 2 * SHORT && expected.2.starts_with(found.2);
    (found.0, found.1) == (expected.0, expected.1) && (found.2 == expected.2 || begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: &str = "object table:0x10 Table count 1\n\
        object table:0x10 Index(-7) -> table:0x10 Strong\n\
        object table:0x10 Index(1000000) -> table:0x10 Strong\n\
        object table:0x10 Number(1.5) -> table:0x10 Strong\n\
        row table:0x10 by root";
    const DUMP: &str = "raw Table 0x10 56\nraw String 0x20 27 6162";

    fn examined(native: Listing, attached: Listing, dump: &str) -> Ran {
        Ran::Examined(Examined {
            module: Ok(()),
            portable: Ok(VIEW.into()),
            native,
            attached,
            dump: dump.into(),
        })
    }

    fn whole() -> Listing {
        Ok(format!("{VIEW}\n{DUMP}"))
    }

    #[test]
    fn what_is_equal_is_right() {
        assert_eq!(verdict(&examined(whole(), whole(), DUMP)), Verdict::Right);
    }

    #[test]
    fn a_refusal_on_one_side_is_a_refusal() {
        let refused = verdict(&examined(whole(), Err("why".into()), DUMP));
        assert_eq!(refused, Verdict::Refused("from outside: why".into()));
    }

    #[test]
    fn any_difference_is_wrong() {
        let others = [
            whole().map(|text| text.replace("count 1", "count 2")),
            whole().map(|text| text.replace("0x10 56", "0x10 64")),
            whole().map(|text| text.replace("6162", "6163")),
            whole().map(|text| text.replace("raw String", "raw Table")),
            whole().map(|text| text + "\nraw Table 0x30 56"),
            Ok(VIEW.into()),
        ];
        for other in others {
            for ran in [
                examined(other.clone(), whole(), DUMP),
                examined(whole(), other.clone(), DUMP),
                examined(other.clone(), Err("why".into()), DUMP),
            ] {
                assert!(matches!(verdict(&ran), Verdict::Wrong(_)), "{other:?}");
            }
        }
    }

    #[test]
    fn keys_that_both_engines_misread_are_wrong() {
        let misread = |text: &str| text.replace("Index(-7)", "Index(4294967289)");
        let listing = || whole().map(|text| misread(&text));
        let Ran::Examined(examined) = examined(listing(), listing(), DUMP) else {
            unreachable!("it was examined");
        };
        let ran = Ran::Examined(Examined {
            portable: Ok(misread(VIEW)),
            ..examined
        });
        assert!(matches!(verdict(&ran), Verdict::Wrong(_)));
    }

    #[test]
    fn where_the_module_refuses_nobody_captures() {
        for (attached, is_wrong) in [(whole(), true), (Err("why".into()), false)] {
            let ran = Ran::Examined(Examined {
                module: Err("why".into()),
                portable: Err("why".into()),
                native: Err("why".into()),
                attached,
                dump: DUMP.into(),
            });
            assert_eq!(matches!(verdict(&ran), Verdict::Wrong(_)), is_wrong);
        }
    }

    #[test]
    fn long_texts_may_be_cut() {
        let dump = format!("{DUMP}\nraw String 0x40 90 {}", "61".repeat(60));
        let listing = |len| {
            Ok(format!(
                "{VIEW}\n{DUMP}\nraw String 0x40 90 {}",
                "61".repeat(len)
            ))
        };
        for (len, is_right) in [(60, true), (40, true), (39, false), (41, false), (0, false)] {
            let ran = examined(listing(len), whole().map(|_| listing(60).unwrap()), &dump);
            assert_eq!(verdict(&ran) == Verdict::Right, is_right, "{len}");
        }
    }

    #[test]
    fn what_does_not_survive_is_wrong() {
        let verdict = verdict(&Ran::Harmed("signal 11".into()));
        assert_eq!(
            verdict,
            Verdict::Wrong("it did not survive: signal 11".into())
        );
    }
}
