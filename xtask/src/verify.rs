//! `cargo verify`: everything that must hold before a change goes in.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::run::{self, Profile};
use crate::tally::Tally;
use crate::{plugins, wasm};

/// Checks format and lints, builds the plugins, runs all tests and every plugin's cases. The last
/// line is the count over all of them; the first step that fails ends the run.
pub fn verify() -> Result<ExitCode> {
    let mut tally = Tally::default();
    let stopped = steps(&mut tally).err();
    if let Some(error) = &stopped {
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

fn steps(tally: &mut Tally) -> Result<()> {
    run::say("format");
    run::must(run::cargo().args(["fmt", "--all", "--check"]))?;
    wasm::set_up()?;
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
    run::must(run::cargo().args(lints))?;
    let kjerne = plugins::program(Profile::Dev)?;
    let folders = plugins::all()?;
    plugins::build(&kjerne, &folders)?;
    run::say("tests");
    tally.add(Tally::of(run::cargo().args([
        "test",
        "--workspace",
        "--no-fail-fast",
    ]))?);
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
