//! The host against guests written by hand: good ones, faulty ones, hostile ones.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bounds;
mod budgets;
#[cfg(unix)]
mod compiling;
mod effects;
mod files;
mod guests;
mod kept;
mod knobs;
mod packages;
mod sets;
mod trial;
mod watching;
