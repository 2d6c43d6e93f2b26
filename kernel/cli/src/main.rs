//! The `kjerne` program: reads the command line, runs it, ends with its exit code.

use std::process::ExitCode;

/// See Cargo.toml for the reason.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kjerne_cli::main()
}
