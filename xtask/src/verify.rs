//! What is run before a change goes in, in three sizes.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::run::{self, Profile};
use crate::tally::Tally;
use crate::{plugins, wasm};

/// The crates whose tests need neither WebAssembly nor the network; they answer in seconds.
const SMALL: [&str; 5] = [
    "kjerne-values",
    "kjerne-model",
    "kjerne-store",
    "kjerne-core",
    "kjerne-wire",
];

/// How often more than their samples `cargo soak` runs the random suites.
const SOAK: &str = "50";

/// Checks everything that must hold before a change goes in: format and lints, all tests, and every
/// plugin's cases. The last line is the count over all of them; the first step that fails ends it.
pub fn verify() -> Result<ExitCode> {
    ended(|tally| {
        format()?;
        wasm::set_up()?;
        lints()?;
        tests_and_cases(tally, |_| {})
    })
}

/// Checks in half a minute what most changes break: format, and the tests of the small crates.
pub fn quick() -> Result<ExitCode> {
    ended(|tally| {
        format()?;
        run::say("tests of the small crates");
        let mut test = run::cargo();
        test.arg("test")
            .args(SMALL.iter().flat_map(|name| ["--package", *name]));
        tally.add(Tally::of(&mut test)?);
        Ok(())
    })
}

/// Runs the random suites many times longer than their samples. By hand; docs/soak.md keeps what
/// came of it.
pub fn soak() -> Result<ExitCode> {
    ended(|tally| {
        wasm::set_up()?;
        tests_and_cases(tally, |test| {
            test.env("KJERNE_SOAK", SOAK).env("PROPTEST_CASES", "10000");
        })
    })
}

/// Runs steps and ends with the count of what they tested.
fn ended(steps: impl FnOnce(&mut Tally) -> Result<()>) -> Result<ExitCode> {
    let mut tally = Tally::default();
    if let Err(error) = steps(&mut tally) {
        eprintln!("error: {error:#}");
        tally.failed = tally.failed.max(1);
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn format() -> Result<()> {
    run::say("format");
    run::must(run::cargo().args(["fmt", "--all", "--check"]))
}

fn lints() -> Result<()> {
    run::say("lints");
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    run::must(run::cargo().args(lints))
}

fn tests_and_cases(tally: &mut Tally, set: impl FnOnce(&mut Command)) -> Result<()> {
    let kjerne = plugins::program(Profile::Dev)?;
    let folders = plugins::all()?;
    plugins::build(&kjerne, &folders)?;
    run::say("tests");
    let mut test = run::cargo();
    test.args(["test", "--workspace", "--no-fail-fast"]);
    set(&mut test);
    tally.add(Tally::of(&mut test)?);
    for folder in folders {
        tally.add(cases(&kjerne, &folder)?);
    }
    Ok(())
}

/// Runs a plugin's cases in the real host.
fn cases(kjerne: &Path, folder: &Path) -> Result<Tally> {
    let name: PathBuf = folder.strip_prefix(run::root()).unwrap_or(folder).into();
    run::say(format!("cases of {}", name.display()));
    let mut command: Command = run::command(kjerne);
    Tally::of(command.args(["plugin", "test"]).arg(name))
}
