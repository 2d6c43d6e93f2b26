//! The keeping of plugins: the places their calls wait for, the accounts of what they cost, the lines they log, and
//! the quarantine of those that break.
//!
//! No WebAssembly is known here: the host says what each call used and how it ended.
//!
//! | word | meaning |
//! |---|---|
//! | account | what one version of a plugin has cost; all of them are the cost ledger |
//! | recent | of costs: used within the last minute |
//! | set aside | of a plugin in a role: its calls broke in a row, and it is not asked for a while |
//! | permit | leave to call a plugin, given back with what the call came to |
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod accounts;
mod concurrency;
pub mod limits;
mod logs;
mod quarantine;
mod set_aside;

pub use accounts::{Account, CallStats, Cost};
pub use concurrency::{Slot, Slots};
pub use logs::{Line, Log};
pub use quarantine::{End, Permit, Quarantine};
pub use set_aside::SetAside;
