//! The `kjerne` program: reads the command line, runs it, ends with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    kjerne_server::cli::main()
}
