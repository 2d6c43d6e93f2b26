//! Data in and out: import of other people's files by mappings, and export that imports again.
#![forbid(unsafe_code)]

pub mod export;
pub mod import;
pub mod limits;
mod spreadsheet;
