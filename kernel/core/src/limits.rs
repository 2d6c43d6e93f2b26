//! Every limit of the kernel: its name, its number and its reason, in one place.

/// One limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// Its name, as errors and reports have it.
    pub name: &'static str,
    /// Its number.
    pub value: u64,
    /// What is counted: `fuel`, `ms`, `bytes`, `calls`, ….
    pub unit: &'static str,
    /// Why there is such a limit, and why this number.
    pub reason: &'static str,
}
