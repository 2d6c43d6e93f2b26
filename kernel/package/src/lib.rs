//! A plugin's file: read and checked without running or compiling anything.
//!
//! | word | meaning |
//! |---|---|
//! | package | a plugin's file: a WebAssembly component with a manifest and default settings inside |
//! | outline | what a file consists of, counted in one pass before anything of it is checked |
//! | manifest | what a plugin says about itself: its roles, and what it asks for |
//! | grant | one thing the administrator lets a plugin do; in effect when it was declared as well |
//! | publisher | who made a plugin, by a name its manifest says and a key that is pinned to it |
//! | signature | a publisher's word for a file, in minisign's format, beside the file |
//! | succession | an old key's word for the key that comes after it |
//! | stage | one of the steps a file passes before it is installed; a refusal names it |
//! | projection | the fields of a kind a plugin may read; only they cross over to it |
#![deny(missing_docs)]

mod difference;
mod error;
mod file;
pub mod grants;
pub mod knobs;
pub mod limits;
mod manifest;
mod outline;
pub mod parameters;
pub mod screens;
pub mod signing;
mod stage;
mod words;

pub use difference::{Change, Difference};
pub use error::PackageError;
pub use file::{CONTRACT, Package, validate};
pub use manifest::{Declared, Job, Manifest, check_publisher};
pub use outline::{MANIFEST_SECTION, Needs, Outline, SETTINGS_SECTION};
pub use parameters::{Command, Parameter};
pub use stage::Stage;
