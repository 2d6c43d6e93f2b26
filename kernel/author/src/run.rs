//! Runs a plugin's cases in the real host under the limits of production.

use std::path::Path;

use kjerne_workspace::error::Result;

use super::build::component_of;
use super::cases::{self, Case};
use super::meter::Usage;
use super::stage::{Bench, Stage};
use super::{check, play};

/// What became of one case.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The case's name.
    pub name: String,
    /// What differs from what was expected; nothing when it passed.
    pub differences: Vec<String>,
    /// The most any of its calls used of each limit.
    pub usage: Usage,
    /// What the plugin logged.
    pub log: Vec<String>,
}

/// Builds the plugin in a folder, runs all its cases, and has `tell` told how each went.
///
/// # Errors
/// When the plugin cannot be built, a case file cannot be read, or `tell` fails.
pub fn test(dir: &Path, tell: &mut dyn FnMut(Verdict) -> Result<()>) -> Result<()> {
    let bench = Bench::new(component_of(dir, None)?.package)?;
    for (_, file) in cases::read_all(dir)? {
        for case in file {
            tell(judge(&bench, &case))?;
        }
    }
    Ok(())
}

impl Verdict {
    /// Whether all was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Plays a case. What is wrong with the case itself counts as a difference, so that the others run.
fn judge(bench: &Bench, case: &Case) -> Verdict {
    let logged = bench.log().len();
    let mut differences = steps(bench, case).unwrap_or_else(|error| vec![error.to_string()]);
    let log = bench.log().split_off(logged.min(bench.log().len()));
    let usage = bench.usage();
    differences.extend(over_the_bar(case.fuel, &usage));
    Verdict {
        name: case.name.clone(),
        differences,
        usage,
        log,
    }
}

/// A call that used more fuel than the case allows.
fn over_the_bar(allowed: Option<u64>, usage: &Usage) -> Option<String> {
    let (most, used) = (allowed?, usage.most_fuel);
    (used > most).then(|| format!("fuel: a call used {used}; the case allows {most}"))
}

/// Plays the steps up to the first that differs.
fn steps(bench: &Bench, case: &Case) -> Result<Vec<String>> {
    let stage = Stage::set(bench, case)?;
    for (place, step) in case.steps.iter().enumerate() {
        let before = stage.messages(0)?.last().map_or(0, |row| row.seq);
        let happened = play::play(&stage, step)?;
        let found = check::differences(&stage, step, &happened, before)?;
        if !found.is_empty() {
            let several = case.steps.len() > 1;
            let at = if several {
                format!("step {}: ", place + 1)
            } else {
                String::new()
            };
            return Ok(found
                .into_iter()
                .map(|difference| format!("{at}{difference}"))
                .collect());
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_held_to_the_fuel_it_allows_and_no_further() {
        let usage = Usage {
            most_fuel: 5_000,
            ..Usage::default()
        };
        for (allowed, told) in [
            (None, None),
            (Some(5_000), None),
            (
                Some(4_999),
                Some("fuel: a call used 5000; the case allows 4999"),
            ),
        ] {
            assert_eq!(over_the_bar(allowed, &usage).as_deref(), told);
        }
    }
}
