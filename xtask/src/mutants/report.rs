//! The results of all mutants, in numbers.

use super::compare::Verdict;
use std::fmt;

/// A mutant, and its result.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub name: String,
    pub verdict: Verdict,
    /// Whether nothing that is read has another offset or meaning.
    pub moves_nothing: bool,
}

/// Of so many that move nothing, half may be refused. What fewer say is an accident.
const ENOUGH: usize = 8;

/// All results.
#[derive(Clone, Default, Debug)]
pub struct Report {
    outcomes: Vec<Outcome>,
}

impl Report {
    pub fn add(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }

    fn count(&self, is_counted: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes.iter().filter(|one| is_counted(one)).count()
    }

    /// The mutants that were refused though nothing that is read was moved.
    fn needless(&self) -> impl Iterator<Item = &Outcome> {
        let is_needless =
            |one: &&Outcome| one.moves_nothing && matches!(one.verdict, Verdict::Refused(_));
        self.outcomes.iter().filter(is_needless)
    }

    /// Number of judged mutants that move nothing.
    fn harmless(&self) -> usize {
        self.count(|one| one.moves_nothing && one.is_judged())
    }

    /// Whether none is wrong, and at most half of those that move nothing were refused. Of fewer than
    /// [`ENOUGH`] of these, which a small sample has, nothing is said.
    pub fn is_good(&self) -> bool {
        let wrong = self.count(|one| matches!(one.verdict, Verdict::Wrong(_)));
        let harmless = self.harmless();
        wrong == 0 && (harmless < ENOUGH || 2 * self.needless().count() <= harmless)
    }
}

impl Outcome {
    fn is_judged(&self) -> bool {
        !matches!(self.verdict, Verdict::NotCompiled(_) | Verdict::Broken(_))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in self.needless() {
            writeln!(
                f,
                "refused though it moves nothing that is read: {}",
                one.name
            )?;
        }
        let right = self.count(|one| one.verdict == Verdict::Right);
        let refused = self.count(|one| matches!(one.verdict, Verdict::Refused(_)));
        let wrong = self.count(|one| matches!(one.verdict, Verdict::Wrong(_)));
        let not_compiled = self.count(|one| matches!(one.verdict, Verdict::NotCompiled(_)));
        let broken = self.count(|one| matches!(one.verdict, Verdict::Broken(_)));
        writeln!(
            f,
            "{} mutants: {right} right, {refused} refused, {wrong} wrong; {not_compiled} did not \
             compile, {broken} did not run",
            self.outcomes.len()
        )?;
        write!(
            f,
            "{} move nothing that is read: {} of these were refused",
            self.harmless(),
            self.needless().count()
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.verdict {
            Verdict::NotCompiled(why) => {
                let error = why.lines().find(|line| line.contains("error:"));
                write!(f, "not compiled  {name}: {}", error.unwrap_or(why))
            }
            Verdict::Broken(why) => {
                let line = why.lines().next().unwrap_or_default();
                write!(f, "does not run  {name}: {line}")
            }
            Verdict::Right => write!(f, "right         {name}"),
            Verdict::Refused(why) => write!(f, "refused       {name}: {why}"),
            Verdict::Wrong(what) => write!(f, "WRONG         {name}: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: &[(Verdict, bool)]) -> Report {
        let mut report = Report::default();
        for (verdict, moves_nothing) in verdicts {
            report.add(Outcome {
                name: "one".into(),
                verdict: verdict.clone(),
                moves_nothing: *moves_nothing,
            });
        }
        report
    }

    #[test]
    fn one_that_is_wrong_is_too_many() {
        assert!(report(&[]).is_good());
        assert!(
            report(&[
                (Verdict::Right, true),
                (Verdict::NotCompiled("why".into()), false)
            ])
            .is_good()
        );
        assert!(!report(&[(Verdict::Right, true), (Verdict::Wrong("x".into()), false)]).is_good());
    }

    #[test]
    fn half_of_what_moves_nothing_may_be_refused() {
        let refused = || Verdict::Refused("why".into());
        assert!(report(&[(refused(), false), (refused(), false)]).is_good());
        let of = |right: usize, needless: usize| {
            let right = (0..right).map(|_| (Verdict::Right, true));
            let needless = (0..needless).map(|_| (refused(), true));
            right.chain(needless).collect::<Vec<_>>()
        };
        assert!(report(&of(5, 5)).is_good());
        assert!(!report(&of(4, 5)).is_good());
        // Two or three in a sample are an accident.
        assert!(report(&of(0, 3)).is_good());
        assert!(report(&of(3, ENOUGH - 4)).is_good());
        // Mutants that do not run do not count.
        let broken = || (Verdict::Broken("why".into()), true);
        let broken = (0..ENOUGH).map(|_| broken());
        assert!(!report(&of(4, 5).into_iter().chain(broken).collect::<Vec<_>>()).is_good());
    }

    #[test]
    fn the_figures_are_told() {
        let said = report(&[
            (Verdict::Right, true),
            (Verdict::Refused("why".into()), true),
            (Verdict::NotCompiled("why".into()), false),
            (Verdict::Broken("why".into()), false),
        ]);
        assert_eq!(
            said.to_string(),
            "refused though it moves nothing that is read: one\n\
             4 mutants: 1 right, 1 refused, 0 wrong; 1 did not compile, 1 did not run\n\
             2 move nothing that is read: 1 of these were refused"
        );
    }
}
