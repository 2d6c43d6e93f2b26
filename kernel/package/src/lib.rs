//! A plugin's file: read and checked without running or compiling anything.
//!
//! | word | meaning |
//! |---|---|
//! | package | a plugin's file: a WebAssembly component with a manifest and default settings inside |
//! | outline | what a file consists of, counted in one pass before anything of it is checked |
//! | manifest | what a plugin says about itself: its roles, and what it asks for |
//! | grant | one thing the administrator lets a plugin do; in effect when it was declared as well |
//! | projection | the fields of a kind a plugin may read; only they cross over to it |
#![deny(missing_docs)]

mod error;
mod file;
pub mod grants;
pub mod knobs;
pub mod limits;
mod manifest;
mod outline;
pub mod parameters;
pub mod screens;
mod words;

pub use error::PackageError;
pub use file::{CONTRACT, Package, validate};
pub use manifest::{Declared, Job, Manifest};
pub use outline::{MANIFEST_SECTION, Outline, SETTINGS_SECTION};
pub use parameters::{Command, Parameter};
