//! Concurrency: so many calls at a time, each in a slot of the pool; the rest wait, but not for ever.
//!
//! No plugin takes the slots of the others: each has a share in each role, and a part of all slots is
//! for the calls of commits alone. Of the rest a part is for plugins that have no call under way, so that
//! several whose calls are long leave a place for one more. Where a commit's call and another one wait for
//! the same slot, the commit's gets it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kjerne_core::Role;

use crate::limits;

/// The slots of the pool, counted. The pool answers exhaustion with an error; counting turns it into
/// waiting.
pub struct Slots {
    taken: Mutex<Taken>,
    freed: Condvar,
    size: usize,
}

/// Who has slots.
#[derive(Default)]
struct Taken {
    /// How many are taken by calls of commits.
    commits: usize,
    /// How many are taken by other calls.
    others: usize,
    /// How many calls of commits wait because every slot is taken.
    commits_waiting: usize,
    /// How many calls wait for whatever reason.
    waiting: usize,
    /// How many each plugin has in each role, for every plugin that has ever had one.
    by_plugin: Vec<(String, [usize; Role::ALL.len()])>,
}

/// A slot of the pool, given back when dropped.
pub struct Slot<'a> {
    slots: &'a Slots,
    /// The plugin's place among all that have ever had one.
    plugin: usize,
    role: Role,
}

/// Whether a commit waits for a call in this role.
fn is_of_commit(role: Role) -> bool {
    matches!(role, Role::Shape | Role::Guard)
}

/// So many percent of the slots, and one at least.
fn part(size: usize, percent: u64) -> usize {
    (size * percent as usize / 100).max(1)
}

impl Slots {
    /// So many slots, all free.
    pub fn new(size: usize) -> Self {
        Self {
            taken: Mutex::default(),
            freed: Condvar::new(),
            size,
        }
    }

    /// How many slots one plugin may have in a role, with what is set for it.
    pub fn share(&self, role: Role, set: Option<u64>) -> usize {
        let share = part(self.size, limits::SHARE.value).min(self.open_to(role));
        let set = set.and_then(|set| usize::try_from(set).ok());
        set.map_or(share, |set| share.min(set)).max(1)
    }

    /// How many slots all calls of a role's sort may have. Where there is one slot, it is for all.
    fn open_to(&self, role: Role) -> usize {
        let kept = part(self.size, limits::COMMIT_SHARE.value);
        if is_of_commit(role) || self.size == 1 {
            self.size
        } else {
            self.size - kept
        }
    }

    /// How many slots of a role's sort may be taken before this plugin gets no further one.
    fn open_for(&self, taken: &Taken, plugin: usize, role: Role) -> usize {
        let open = self.open_to(role);
        let own = &taken.by_plugin[plugin].1;
        let has_one = |role: &Role| !is_of_commit(*role) && own[*role as usize] > 0;
        if !Role::ALL.iter().any(has_one) {
            return open;
        }
        open - part(self.size, limits::NEWCOMER_SHARE.value).min(open - 1)
    }

    /// Waits for a slot, at most so long; a plugin that has `most` in the role gets no further one.
    pub fn take(
        &self,
        plugin: &str,
        role: Role,
        most: usize,
        patience: Duration,
    ) -> Option<Slot<'_>> {
        let until = Instant::now() + patience;
        let mut taken = self.lock();
        let plugin = taken.place(plugin);
        while !self.may_take(&taken, plugin, role, most) {
            let left = until.checked_duration_since(Instant::now())?;
            let first = is_of_commit(role) && self.is_full(&taken);
            taken.commits_waiting += usize::from(first);
            taken.waiting += 1;
            let waited = self.freed.wait_timeout(taken, left);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
            taken.waiting -= 1;
            taken.commits_waiting -= usize::from(first);
        }
        *taken.of_sort(role) += 1;
        taken.by_plugin[plugin].1[role as usize] += 1;
        Some(Slot {
            slots: self,
            plugin,
            role,
        })
    }

    fn is_full(&self, taken: &Taken) -> bool {
        taken.commits + taken.others >= self.size
    }

    fn may_take(&self, taken: &Taken, plugin: usize, role: Role, most: usize) -> bool {
        let own = taken.by_plugin[plugin].1[role as usize];
        let is_open = || taken.others < self.open_for(taken, plugin, role);
        let in_turn = is_of_commit(role) || taken.commits_waiting == 0 && is_open();
        !self.is_full(taken) && own < most && in_turn
    }

    /// The numbers behind the lock are valid after every statement, so a panic elsewhere while it
    /// was held harms nothing.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// The place of a plugin, which it keeps: there are as many as were ever installed.
    fn place(&mut self, plugin: &str) -> usize {
        let known = self.by_plugin.iter().position(|(id, _)| id == plugin);
        known.unwrap_or_else(|| {
            self.by_plugin.push((plugin.to_owned(), Default::default()));
            self.by_plugin.len() - 1
        })
    }

    fn of_sort(&mut self, role: Role) -> &mut usize {
        if is_of_commit(role) {
            &mut self.commits
        } else {
            &mut self.others
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        *taken.of_sort(self.role) -= 1;
        taken.by_plugin[self.plugin].1[self.role as usize] -= 1;
        let somebody_waits = taken.waiting > 0;
        drop(taken);
        // Who waits may wait for another reason than the rest, so each looks for itself.
        if somebody_waits {
            self.slots.freed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Takes a slot with the usual share.
    fn take<'a>(
        slots: &'a Slots,
        plugin: &str,
        role: Role,
        patience: Duration,
    ) -> Option<Slot<'a>> {
        slots.take(plugin, role, slots.share(role, None), patience)
    }

    /// Takes slots until none is had any more.
    fn take_all<'a>(slots: &'a Slots, plugin: &str, role: Role) -> Vec<Slot<'a>> {
        std::iter::from_fn(|| take(slots, plugin, role, Duration::ZERO)).collect()
    }

    #[test]
    fn a_full_pool_makes_wait_and_then_gives_up() {
        let slots = Slots::new(1);
        let slot = take(&slots, "one", Role::Guard, Duration::ZERO).unwrap();
        let patience = Duration::from_millis(5);
        assert!(take(&slots, "other", Role::Guard, patience).is_none());
        drop(slot);
        assert!(take(&slots, "other", Role::React, Duration::ZERO).is_some());
    }

    #[test]
    fn who_waits_gets_the_slot_that_is_freed() {
        let slots = Slots::new(1);
        let slot = take(&slots, "one", Role::React, Duration::ZERO).unwrap();
        let patience = Duration::from_secs(60);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| take(&slots, "other", Role::Guard, patience).is_some());
            drop(slot);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn a_plugin_has_its_share_in_each_role_and_no_more() {
        let slots = Slots::new(32);
        let share = part(32, limits::SHARE.value);
        let own = take_all(&slots, "greedy", Role::Guard);
        assert_eq!((own.len(), slots.share(Role::Guard, None)), (share, 16));
        let others = take_all(&slots, "other", Role::Guard);
        assert_eq!(others.len(), 16, "the rest is for the others");
    }

    #[test]
    fn what_is_set_is_less_than_the_share_and_one_at_least() {
        let slots = Slots::new(32);
        for (set, expected) in [(None, 16), (Some(3), 3), (Some(0), 1), (Some(u64::MAX), 16)] {
            assert_eq!(slots.share(Role::Guard, set), expected, "{set:?}");
        }
        let most = slots.share(Role::Guard, Some(2));
        let take = || slots.take("one", Role::Guard, most, Duration::ZERO);
        let held: Vec<_> = std::iter::from_fn(take).collect();
        assert_eq!(held.len(), 2);
    }

    #[test]
    fn commits_have_slots_that_nothing_else_takes() {
        let slots = Slots::new(32);
        let later: Vec<_> = ["one", "two", "three"]
            .into_iter()
            .flat_map(|plugin| take_all(&slots, plugin, Role::React))
            .collect();
        let kept = part(32, limits::COMMIT_SHARE.value);
        // The third has one, of those that are for who has none.
        let newcomers = part(32, limits::NEWCOMER_SHARE.value);
        assert_eq!(later.len(), 32 - kept - newcomers + 1);
        let further: Vec<_> = (0..newcomers)
            .filter_map(|number| {
                take(
                    &slots,
                    &format!("n{number}"),
                    Role::SalesStages,
                    Duration::ZERO,
                )
            })
            .collect();
        assert_eq!(further.len(), newcomers - 1, "and then there is none");
        assert!(take(&slots, "two", Role::Integration, Duration::ZERO).is_none());
        // Those that are kept are there for the very plugin that took all the others.
        assert_eq!(take_all(&slots, "one", Role::Guard).len(), kept);
    }

    #[test]
    fn two_plugins_do_not_take_every_place_between_them() {
        for size in [1, 2, 3, 4, 8, 32] {
            let slots = Slots::new(size);
            let busy: Vec<_> = ["one", "two"]
                .into_iter()
                .flat_map(|plugin| take_all(&slots, plugin, Role::Action))
                .collect();
            let third = take(&slots, "three", Role::SalesStages, Duration::ZERO);
            // Where there are so few, those who came first have them.
            assert_eq!(third.is_some(), size >= 8, "{size}: {}", busy.len());
        }
    }

    #[test]
    fn a_commit_that_waits_is_served_before_background_work() {
        let slots = Slots::new(4);
        let mut first = take_all(&slots, "one", Role::Guard);
        first.extend(take_all(&slots, "two", Role::Guard));
        assert_eq!(first.len(), 4);
        let served = Mutex::new(Vec::new());
        let wait = |role| {
            let slot = take(&slots, "three", role, Duration::from_secs(60)).unwrap();
            served.lock().unwrap().push(role);
            std::thread::sleep(Duration::from_millis(20));
            drop(slot);
        };
        std::thread::scope(|scope| {
            scope.spawn(|| wait(Role::React));
            std::thread::sleep(Duration::from_millis(20));
            scope.spawn(|| wait(Role::Guard));
            while slots.lock().commits_waiting == 0 {
                std::thread::yield_now();
            }
            drop(first.pop());
        });
        assert_eq!(*served.lock().unwrap(), [Role::Guard, Role::React]);
    }
}
