//! The project's own commands, behind the aliases in `.cargo/config.toml`.
//!
//! `cargo demo` shows the system at work, `cargo verify` checks everything, `cargo quick` what most
//! changes break, `cargo soak` the random suites at length; `cargo xtask plugins` and
//! `cargo xtask wasm-target` are the steps they begin with.

mod plugins;
mod run;
mod tally;
mod verify;
mod wasm;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo demo [--release] [-- ARGUMENTS]   build everything and run `kjerne demo`
cargo verify                            format, lints, plugins, all tests; ends with a count
cargo quick                             format and the tests of the small crates, in half a minute
cargo soak                              all tests, the random ones fifty times as long
cargo xtask plugins                     build the plugins into target/plugins
cargo xtask wasm-target                 make sure that Rust can build WebAssembly here";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        bail!("say what to do:\n{USAGE}");
    };
    match command.as_str() {
        "demo" => demo(rest),
        "verify" => verify::verify(),
        "quick" => verify::quick(),
        "soak" => verify::soak(),
        "plugins" => {
            plugins::prepare(run::Profile::Dev, &plugins::all()?).map(|_| ExitCode::SUCCESS)
        }
        "wasm-target" => wasm::set_up().map(|()| ExitCode::SUCCESS),
        other => bail!("there is no command {other:?}:\n{USAGE}"),
    }
}

/// Runs the demo with the arguments given; its exit code is ours.
fn demo(arguments: &[String]) -> Result<ExitCode> {
    let release = arguments.iter().any(|argument| argument == "--release");
    let profile = if release {
        run::Profile::Release
    } else {
        run::Profile::Dev
    };
    let kjerne = plugins::prepare(profile, &plugins::built_in()?)?;
    let mut command = run::command(&kjerne);
    // A workspace of its own beside what is built, unless the arguments name another.
    if !arguments
        .iter()
        .any(|argument| argument == "-w" || argument.starts_with("--workspace"))
    {
        command.arg("-w").arg(run::target().join("demo"));
    }
    let passed_on = arguments
        .iter()
        .filter(|argument| !["--release", "--"].contains(&argument.as_str()));
    let status = command.arg("demo").args(passed_on).status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
