//! Queries over the records of one kind: what is asked and answered, and how it is found.
//!
//! A query is planned (`plan`: which index serves it, if any) and then run: every record the plan
//! brings up is held against the whole filter, so that a plan can be wrong about speed and never
//! about the answer.

mod cursor;
pub(crate) mod page;
mod plan;
mod run;
mod sort;
#[cfg(test)]
mod tests;
