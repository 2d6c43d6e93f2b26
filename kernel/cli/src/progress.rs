//! Progress bars, for work that takes longer than two seconds and a person who is looking.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error that shows itself after two seconds of work, and only on a terminal.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
}

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(2);

impl Progress {
    /// A bar towards `total` of what is counted: `changes`, `bytes`, `rows`.
    #[must_use]
    pub fn new(total: u64, what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let template = "{msg} {wide_bar} {pos}/{len} {per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Self {
            bar,
            began: Instant::now(),
        }
    }

    /// So much more is done.
    pub fn add(&self, done: u64) {
        if self.bar.is_hidden()
            && self.began.elapsed() > PATIENCE
            && std::io::stderr().is_terminal()
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
