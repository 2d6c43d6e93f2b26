//! Who may deliver how much at once: places for each destination of a plugin, each plugin, and all of
//! them, so that a slow receiver holds up what goes to it and nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kjerne_core::limits::{OUTBOX_BYTES, OUTBOX_NEAR, OUTBOX_ROWS};
use kjerne_store::outbox::{OutboxRow, Waiting};
use ureq::http::Uri;

use crate::limits::{DELIVERIES, DELIVERIES_TO_ONE, PLUGIN_DELIVERIES};
use crate::notify::Notifier;
use crate::runtime::Runtime;
use crate::stderr::tell;

/// The messages under way.
#[derive(Default)]
pub struct Places(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    /// By their places in the queue.
    messages: BTreeSet<u64>,
    by_plugin: BTreeMap<String, usize>,
    by_destination: BTreeMap<(String, String), usize>,
    /// The plugins whose full outbox was told.
    told: BTreeSet<String>,
}

/// A place that is given back when it goes.
pub struct Place<'a> {
    places: &'a Places,
    row: &'a OutboxRow,
    notifier: &'a Notifier,
}

impl Places {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a message, if there is one and it is not under way. A plugin that has none
    /// always gets one, so that others can be in its way no longer than it takes to begin.
    pub fn take(&self, row: &OutboxRow) -> bool {
        let mut taken = self.taken();
        let destination = destination(row);
        let to_one = taken.by_destination.get(&destination).copied();
        let of_plugin = taken.by_plugin.get(&row.plugin).copied().unwrap_or(0);
        let is_free = to_one.unwrap_or(0) < DELIVERIES_TO_ONE.count()
            && of_plugin < PLUGIN_DELIVERIES.count()
            && (of_plugin == 0 || taken.messages.len() < DELIVERIES.count());
        if !is_free || !taken.messages.insert(row.seq) {
            return false;
        }
        *taken.by_plugin.entry(row.plugin.clone()).or_default() += 1;
        *taken.by_destination.entry(destination).or_default() += 1;
        true
    }

    /// The place of a message that has been taken.
    pub fn hold<'a>(&'a self, row: &'a OutboxRow, notifier: &'a Notifier) -> Place<'a> {
        Place {
            places: self,
            row,
            notifier,
        }
    }

    /// Says once that a plugin's outbox is nearly full, and again when it has been emptier meanwhile.
    pub fn tell_when_near(&self, runtime: &Runtime, plugin: &str) {
        let Ok(waiting) = runtime.kernel.outbox_waiting(plugin) else {
            return;
        };
        let mut taken = self.taken();
        if !is_near(waiting) {
            taken.told.remove(plugin);
        } else if taken.told.insert(plugin.to_owned()) {
            tell(format_args!(
                "outbox: {plugin} has {} of {} messages and {} of {} bytes waiting; at the limit it \
                 waits itself: see to its receivers",
                waiting.rows, OUTBOX_ROWS.value, waiting.bytes, OUTBOX_BYTES.value
            ));
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.messages.remove(&self.row.seq);
        leave(&mut taken.by_plugin, &self.row.plugin);
        leave(&mut taken.by_destination, &destination(self.row));
        drop(taken);
        self.notifier.notify();
    }
}

fn leave<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// A plugin and the host and port it sends to.
fn destination(row: &OutboxRow) -> (String, String) {
    let uri: Option<Uri> = row.message.url.parse().ok();
    let authority =
        uri.and_then(|uri| uri.authority().map(|one| one.as_str().to_ascii_lowercase()));
    (row.plugin.clone(), authority.unwrap_or_default())
}

fn is_near(waiting: Waiting) -> bool {
    let near = |has: u64, most: u64| has >= most / 100 * OUTBOX_NEAR.value;
    near(waiting.rows, OUTBOX_ROWS.value) || near(waiting.bytes, OUTBOX_BYTES.value)
}

#[cfg(test)]
mod tests {
    use kjerne_model::{Instant, Message};
    use kjerne_store::Link;

    use super::*;

    fn row(seq: u64, plugin: &str, host: &str) -> OutboxRow {
        OutboxRow {
            seq,
            plugin: plugin.to_owned(),
            message: Message {
                url: format!("https://{host}/in"),
                content_type: String::new(),
                headers: Vec::new(),
                body: Vec::new(),
                order_key: seq.to_string(),
                id: seq.to_string(),
                signing_secret: None,
            },
            queued_at: Instant::default(),
            tries: 0,
            not_before: Instant::default(),
            error: None,
            gave_up: false,
            link: Link::default(),
        }
    }

    /// How many of so many messages get a place.
    fn taken(places: &Places, from: u64, count: u64, plugin: &str, host: &str) -> usize {
        let rows = (from..from + count).map(|seq| row(seq, plugin, host));
        rows.filter(|row| places.take(row)).count()
    }

    #[test]
    fn a_slow_receiver_holds_up_its_own_only() {
        let places = Places::default();
        let to_one = DELIVERIES_TO_ONE.count();
        assert_eq!(taken(&places, 0, 200, "a", "slow.example"), to_one);
        assert_eq!(taken(&places, 200, 200, "a", "SLOW.example"), 0);
        assert_eq!(taken(&places, 400, 1, "a", "quick.example"), 1);
        assert_eq!(taken(&places, 500, 1, "b", "slow.example"), 1);
        assert_eq!(taken(&places, 400, 1, "a", "quick.example"), 0, "under way");
    }

    #[test]
    fn a_plugin_with_many_slow_receivers_holds_up_itself_only() {
        let places = Places::default();
        let each = |plugin: &str, from: u64| {
            let to =
                (0..200).map(|host| taken(&places, from + host, 1, plugin, &format!("h{host}")));
            to.sum::<usize>()
        };
        assert_eq!(each("a", 0), PLUGIN_DELIVERIES.count());
        assert_eq!(each("b", 1_000), PLUGIN_DELIVERIES.count());
        // All places are taken, and still each further plugin gets one.
        assert_eq!(each("c", 2_000), 1);
        assert_eq!(each("d", 3_000), 1);
    }

    #[test]
    fn a_place_is_given_back() {
        let (places, notifier) = (Places::default(), Notifier::default());
        let one = row(1, "a", "h");
        assert!(places.take(&one) && !places.take(&one));
        drop(places.hold(&one, &notifier));
        assert_eq!(notifier.count(), 1);
        assert!(places.take(&one));
        assert_eq!(places.taken().by_plugin.len(), 1);
    }

    #[test]
    fn a_full_outbox_is_told_before_it_is_full() {
        let waiting = |rows, bytes| Waiting {
            rows,
            bytes,
            given_up: 0,
        };
        assert!(!is_near(waiting(7_999, 0)));
        assert!(is_near(waiting(8_000, 0)) && is_near(waiting(0, 60 << 20)));
    }
}
