//! When a job is due: a cron line of five fields, read in a time zone.
//!
//! The fields are read and matched by the crate croner, on dates and times of the wall clock alone. What
//! the clocks of a zone do when they are set is decided here, so that every line keeps one of two rules:
//!
//! - A line whose hours begin with `*` goes by the hours that pass: in a skipped hour there is nothing, in
//!   a repeated hour it is due in both.
//! - Any other line names times of the day, and each comes once a day: one in the skipped hour when that
//!   hour would have begun to be over, which is the first moment after it; one in the repeated hour the
//!   first time.
//!
//! Time is an argument; the zones are those built into the program.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod line;
#[cfg(test)]
mod tests;
mod timetable;

pub use line::CronError;
pub use timetable::{Due, MISSED_COUNTED, Timetable};
