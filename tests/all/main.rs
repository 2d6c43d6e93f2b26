//! The tests of the whole system, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod beside_server;
mod checkout;
mod contract;
mod crash;
mod delivery;
mod hostile;
mod http;
mod journeys;
mod limits;
mod prepared;
mod promises;
mod rollback;
mod settings;
mod signing;
mod stage;
mod storage;
mod structure;
mod tidy;
mod watching;
