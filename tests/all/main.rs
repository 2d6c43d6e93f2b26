//! The tests of the whole system, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod approvals;
mod bad_input;
mod beside_server;
mod checkout;
mod contract;
mod costs;
mod crash;
mod delivery;
mod hostile;
mod http;
mod jobs;
mod journeys;
mod limits;
mod prepared;
mod promises;
mod rollback;
mod screens;
mod settings;
mod signing;
mod stage;
mod state;
mod storage;
mod structure;
mod tidy;
mod watching;
