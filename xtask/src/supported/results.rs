//! What tests said.

use std::collections::HashMap;

/// What became of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It ran, and found what it expects.
    Passed,
    /// It ran, and did not.
    Failed,
    /// There is such a test, but it was not asked for: it needs a program that may not be installed.
    Ignored,
    /// There is no such test, or nobody ran the tests that it is one of.
    Missing,
}

/// The outcome of each test by its name, such as `heaps::waiting::lua54`.
#[derive(Default)]
pub struct Results(HashMap<String, Outcome>);

impl Results {
    /// Reads what test programs printed: lines such as `test heaps::waiting::lua54 ... ok`. A test of which several lines
    /// tell failed if it did in one of them, and ran if it did in one of them.
    pub fn of(output: &str) -> Results {
        let mut results = Results::default();
        for line in output.lines() {
            let Some((name, outcome)) = outcome(line) else {
                continue;
            };
            let of_all = results.0.entry(name.to_owned()).or_insert(outcome);
            if *of_all == Outcome::Ignored || outcome == Outcome::Failed {
                *of_all = outcome;
            }
        }
        results
    }

    /// What became of a test.
    pub fn of_test(&self, test: &str) -> Outcome {
        self.0.get(test).copied().unwrap_or(Outcome::Missing)
    }
}

/// A test's name, and its outcome.
fn outcome(line: &str) -> Option<(&str, Outcome)> {
    let (name, words) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let outcome = match words.split([' ', ',']).next()? {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        "ignored" => Outcome::Ignored,
        _ => return None,
    };
    Some((name, outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_from_what_tests_print() {
        let results = Results::of(
            "running 7 tests\n\
             test a::one ... ok\n\
             test a::two ... FAILED\n\
             test a::three ... ignored, it needs nginx\n\
             test a::four has been running for over 60 seconds\n\
             test a::both ... ok\n\
             test a::both ... FAILED\n\
             test a::both ... ok\n\
             test a::later ... ignored\n\
             test a::later ... ok\n\
             test a::sooner ... ok\n\
             test a::sooner ... ignored\n\
             test result: FAILED. 1 passed; 2 failed",
        );
        for name in ["a::one", "a::later", "a::sooner"] {
            assert_eq!(results.of_test(name), Outcome::Passed, "{name}");
        }
        for name in ["a::two", "a::both"] {
            assert_eq!(results.of_test(name), Outcome::Failed, "{name}");
        }
        assert_eq!(results.of_test("a::three"), Outcome::Ignored);
        for name in ["a::four", "result:", "a"] {
            assert_eq!(results.of_test(name), Outcome::Missing, "{name}");
        }
    }
}
