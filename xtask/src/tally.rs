//! Counts what test runners report.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::run;

/// How many tests passed and failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Runs a test runner, passes on what it prints, and counts. A runner that ends badly without
    /// having reported a failure counts as one.
    pub fn of(command: &mut Command) -> Result<Self> {
        let name = run::shown(command);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut tally = Self::default();
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = String::from_utf8_lossy(&line?).into_owned();
                writeln!(std::io::stdout(), "{line}")?;
                tally.add(Self::of_line(&line).unwrap_or_default());
            }
        }
        if !child.wait()?.success() && tally.failed == 0 {
            eprintln!("error: {name} failed without naming a test");
            tally.failed += 1;
        }
        Ok(tally)
    }

    /// Reads `test result: ok. 3 passed; 0 failed; …` or `3 passed, 0 failed`.
    fn of_line(line: &str) -> Option<Self> {
        let counts = match line.strip_prefix("test result: ") {
            Some(rest) => rest.split_once(". ")?.1,
            None => line,
        };
        let mut words = counts
            .split([' ', ',', ';'])
            .filter(|word| !word.is_empty());
        let passed = words.next()?.parse().ok()?;
        (words.next()? == "passed").then_some(())?;
        let failed = words.next()?.parse().ok()?;
        (words.next()? == "failed").then_some(Self { passed, failed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_lines_are_counted_and_others_are_not() {
        let check = |line: &str, expected: Option<(u64, u64)>| {
            let found = Tally::of_line(line).map(|tally| (tally.passed, tally.failed));
            assert_eq!(found, expected, "{line}");
        };
        check(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured",
            Some((12, 0)),
        );
        check(
            "test result: FAILED. 1 passed; 2 failed; 0 ignored",
            Some((1, 2)),
        );
        check("7 passed, 1 failed", Some((7, 1)));
        check("test a_failed_commit ... ok", None);
        check("running 3 tests", None);
        check("", None);
    }
}
