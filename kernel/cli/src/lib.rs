//! The `kjerne` program: arguments, output, exit codes, demo and benchmarks.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod cli;
mod commands;
mod context;
mod demo;
mod exit;
mod output;
mod progress;

pub use cli::main;
