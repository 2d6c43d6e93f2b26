//! What becomes of a turn of a reaction, or of a parked entry that is tried again.

use kjerne_model::Instant;

use crate::limits;
use crate::outcome::Receipt;

/// What became of one turn of a reaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// There is nothing left that concerns the plugin.
    Idle,
    /// There is nothing new to be shown, or no room for more that failed; the next try of what failed is not
    /// before this time.
    Waiting {
        /// When to come back.
        until: Instant,
    },
    /// The plugin's cursor moved on; there may be more to do.
    Moved {
        /// The last entry it is done with.
        position: u64,
        /// How many entries the plugin was shown; 0 when none of those passed concerned it.
        shown: usize,
        /// What its proposals became; none when it proposed nothing that makes a difference.
        receipt: Option<Receipt>,
        /// How many messages it queued.
        messages: usize,
    },
    /// Too much was going on for the plugin to be asked, or for what it proposed to be stored. That is
    /// no failure of anybody's: it is tried again as if it had not been tried.
    Busy {
        /// When to come back.
        until: Instant,
        /// What was going on.
        error: String,
    },
    /// The plugin failed on an entry, or what it proposed was refused. The entry is put aside and tried again;
    /// there may be more to do meanwhile.
    Failed {
        /// The entry.
        entry: u64,
        /// How often it has failed by now.
        tries: u32,
        /// When it is tried again.
        until: Instant,
        /// Why.
        error: String,
    },
    /// The plugin failed on an entry for the last time; the entry is parked where the administrator
    /// sees it, and what was held up by it goes on.
    Parked {
        /// The entry.
        entry: u64,
        /// Why.
        error: String,
    },
}

/// A pause that nothing is kept of.
pub(crate) fn busy(now: Instant, error: String) -> Progress {
    let until = now.plus_millis(limits::back_off(1));
    Progress::Busy { until, error }
}
