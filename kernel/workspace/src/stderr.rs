//! Lines to standard error, on which nothing depends.

use std::fmt::Arguments;
use std::io::{self, Write as _};

/// Writes a line to standard error. Where that cannot be done, because the disk that has the log is full
/// or nobody reads it any more, work goes on all the same; `eprintln!` would end the thread.
pub fn tell(line: Arguments<'_>) {
    // In one piece, so that what several threads say does not mix.
    let line = format!("{line}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}
