//! What a plugin's author works with: begin a plugin, build it, run its cases, sign it.
//!
//! Building happens here and nowhere else; the project's own plugins are built the same way.
#![forbid(unsafe_code)]

mod ask;
mod begin;
mod build;
mod cases;
mod check;
mod given;
mod meter;
mod play;
mod run;
mod signing;
mod stage;

pub use begin::{Beginning, begin};
pub use build::{Built, component_of as build};
pub use meter::{Peak, Usage};
pub use run::{Verdict, test};
pub use signing::{
    KeyFiles, Signed, make_key, open_key, read_text, sign_file, verify_file, with_ending,
};
