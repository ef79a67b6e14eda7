//! What tests said.

use std::collections::HashMap;

/// The outcome of each test by its name, such as `heaps::waiting::lua54`.
#[derive(Default)]
pub struct Results(HashMap<String, bool>);

impl Results {
    /// Reads what test programs printed: lines such as `test heaps::waiting::lua54 ... ok`. A test of which two programs
    /// say something passed if it did in both.
    pub fn of(output: &str) -> Results {
        let mut results = Results::default();
        for line in output.lines() {
            let Some((name, outcome)) = outcome(line) else {
                continue;
            };
            let all = results.0.entry(name.to_owned()).or_insert(true);
            *all &= outcome;
        }
        results
    }

    /// Whether a test passed; `None` if it did not run.
    pub fn passed(&self, test: &str) -> Option<bool> {
        self.0.get(test).copied()
    }
}

/// A test's name, and whether it passed. Ignored tests have no outcome.
fn outcome(line: &str) -> Option<(&str, bool)> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    match outcome.split(' ').next()? {
        "ok" => Some((name, true)),
        "FAILED" => Some((name, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_from_what_tests_print() {
        let results = Results::of(
            "running 4 tests\n\
             test a::one ... ok\n\
             test a::two ... FAILED\n\
             test a::three ... ignored, it needs nginx\n\
             test a::four has been running for over 60 seconds\n\
             test a::both ... ok\n\
             test a::both ... FAILED\n\
             test result: FAILED. 1 passed; 2 failed",
        );
        assert_eq!(results.passed("a::one"), Some(true));
        assert_eq!(results.passed("a::two"), Some(false));
        assert_eq!(results.passed("a::both"), Some(false));
        for name in ["a::three", "a::four", "result:", "a"] {
            assert_eq!(results.passed(name), None, "{name}");
        }
    }
}
