//! The faults of docs/faults.md, one test a row, named by it. Every test knows the built program and nothing
//! of its inside, so that an earlier build can be shown to fail it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod files;
mod host;
mod http;
mod import;
mod plugins;
mod program;
mod service;
mod storage;
mod values;
