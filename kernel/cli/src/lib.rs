//! The `kjerne` program: arguments, output, exit codes, demo and benchmarks.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod cli;
mod commands;
mod connection;
mod context;
mod demo;
mod destination;
mod exit;
mod huge_pages;
mod output;
mod pair;
mod path;
mod plugin_args;
mod progress;

pub use cli::main;
