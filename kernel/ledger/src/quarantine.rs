//! Quarantine: a plugin whose calls break again and again is not asked for a while.
//!
//! It is set aside in one role, after so many calls in a row that broke, none long after the one before. While
//! it is, it is not run: whoever would have asked is told at once. When the time is over one call tries it: if
//! that goes well all is as before, and else it is set aside for twice as long. A call that found no place
//! says nothing about the plugin and counts for nothing. Another file or other settings begin anew.
//!
//! Roles that walk the journal, and the service clock's, are left out: what they fail on is put aside or
//! tried again by itself, and a plugin that fails on everything stops at a bound there.
//!
//! The time is that of the calls, so that the same calls at the same times come to the same. What breaks at one
//! and the same time counts once: an import has one time, and asks about a batch that broke again in halves.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kjerne_core::{Fault, Role, limits as of_core};
use kjerne_model::Instant;

use crate::limits;
use crate::set_aside::SetAside;

/// What a call came to, for the quarantine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End<'a> {
    /// It went well.
    Well,
    /// It broke, in this way.
    Broke(&'a str),
    /// It says nothing about the plugin.
    Nothing,
}

/// How a plugin has done of late, in each role.
#[derive(Default)]
pub struct Quarantine(Mutex<[State; Role::ALL.len()]>);

#[derive(Clone, Default)]
struct State {
    /// Calls that broke since one went well.
    breaks: u64,
    /// When the last of them broke.
    last: Instant,
    /// How it broke.
    why: String,
    /// How often it was set aside since a call went well.
    times: u32,
    /// Until when it is set aside; none when it is not.
    until: Option<Instant>,
    /// Whether a call is trying it.
    tried: bool,
    /// How often the state was begun anew: a call that began before says nothing about what is now.
    round: u64,
}

/// Leave to call a plugin; it is given back with what the call came to, or by being dropped.
pub struct Permit<'a> {
    quarantine: &'a Quarantine,
    role: Role,
    now: Instant,
    round: u64,
    is_trial: bool,
    is_over: bool,
}

/// Whether a plugin can be set aside in a role.
fn counts(role: Role) -> bool {
    matches!(
        role,
        Role::Shape | Role::Guard | Role::Action | Role::SalesStages | Role::BuyingProcess
    )
}

/// How long it is set aside the first time, the second, and so on, in milliseconds.
fn pause(times: u32) -> i64 {
    let doubled = limits::QUARANTINE_FIRST.value << times.saturating_sub(1).min(20);
    doubled.min(limits::QUARANTINE_LONGEST.value) as i64
}

impl Quarantine {
    /// Leave to call the plugin.
    ///
    /// # Errors
    /// When it is set aside, or a call is trying it just now.
    pub fn enter(&self, plugin: &str, role: Role, now: Instant) -> Result<Permit<'_>, Fault> {
        let mut states = self.states();
        let state = &mut states[role as usize];
        let mut is_trial = false;
        if let Some(until) = state.until {
            let longest = limits::QUARANTINE_LONGEST.value as i64;
            if state.tried || of_core::rests(until, longest, now) {
                return Err(state.told(plugin, role, until).fault());
            }
            state.tried = true;
            is_trial = true;
        }
        Ok(Permit {
            quarantine: self,
            role,
            now,
            round: state.round,
            is_trial,
            is_over: false,
        })
    }

    /// Where the plugin is set aside.
    pub fn told(&self, plugin: &str) -> Vec<SetAside> {
        let states = self.states();
        let told = |role: Role| {
            let state = &states[role as usize];
            Some(state.told(plugin, role, state.until?))
        };
        Role::ALL.into_iter().filter_map(told).collect()
    }

    /// Has the plugin asked again in every role, as if nothing had been.
    pub fn resume(&self) {
        for state in self.states().iter_mut() {
            let round = state.round + 1;
            *state = State {
                round,
                ..State::default()
            };
        }
    }

    /// What is held here is whole after every statement, so a panic elsewhere harms nothing.
    fn states(&self) -> MutexGuard<'_, [State; Role::ALL.len()]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn told(&self, plugin: &str, role: Role, until: Instant) -> SetAside {
        SetAside {
            plugin: plugin.to_owned(),
            role,
            until,
            breaks: self.breaks,
            why: self.why.clone(),
        }
    }

    fn broke(&mut self, why: &str, now: Instant, is_trial: bool) {
        if self.breaks > 0 && self.until.is_none() && self.last == now {
            return;
        }
        let since = now.millis().abs_diff(self.last.millis());
        let goes_on =
            self.breaks > 0 && (self.until.is_some() || since <= limits::QUARANTINE_WINDOW.value);
        self.breaks = if goes_on { self.breaks + 1 } else { 1 };
        self.last = now;
        why.clone_into(&mut self.why);
        let begins = self.until.is_none() && self.breaks >= limits::QUARANTINE_BREAKS.value;
        if begins || is_trial {
            self.times += 1;
            self.until = Some(now.plus_millis(pause(self.times)));
        }
    }

    fn went_well(&mut self, is_trial: bool) {
        // One that began before it was set aside and ends well now is no trial of it.
        if is_trial || self.until.is_none() {
            let round = self.round;
            *self = Self {
                round,
                ..Self::default()
            };
        }
    }
}

impl Permit<'_> {
    /// The call is over.
    pub fn end(mut self, end: End<'_>) {
        self.settle(end);
    }

    fn settle(&mut self, end: End<'_>) {
        self.is_over = true;
        let mut states = self.quarantine.states();
        let state = &mut states[self.role as usize];
        if !counts(self.role) || state.round != self.round {
            return;
        }
        match end {
            End::Well => state.went_well(self.is_trial),
            End::Broke(why) => state.broke(why, self.now, self.is_trial),
            End::Nothing => {}
        }
        if self.is_trial {
            state.tried = false;
        }
    }
}

/// A call that ended in no way at all says nothing, and lets another one try.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.settle(End::Nothing);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis as i64)
    }

    /// Asks at a time; whether it was asked.
    fn ask(quarantine: &Quarantine, role: Role, now: u64, end: End<'_>) -> bool {
        match quarantine.enter("p", role, at(now)) {
            Ok(permit) => {
                permit.end(end);
                true
            }
            Err(fault) => {
                assert_eq!(fault.limit, Fault::SET_ASIDE);
                false
            }
        }
    }

    const BREAKS: u64 = limits::QUARANTINE_BREAKS.value;
    const FIRST: u64 = limits::QUARANTINE_FIRST.value;
    const WINDOW: u64 = limits::QUARANTINE_WINDOW.value;

    /// One whose calls broke so often, the last of them at 0.
    fn broken(times: u64) -> Quarantine {
        let quarantine = Quarantine::default();
        for number in (0..times as i64).rev() {
            let permit = quarantine.enter("p", Role::Guard, Instant::from_millis(-number));
            permit.unwrap().end(End::Broke("fuel"));
        }
        quarantine
    }

    /// An import asks again in halves, all at its one time.
    #[test]
    fn what_breaks_at_one_time_counts_once() {
        let quarantine = Quarantine::default();
        for _ in 0..9 * BREAKS {
            assert!(ask(&quarantine, Role::Guard, 7, End::Broke("trap")));
        }
        for later in 8..7 + BREAKS {
            assert_eq!(quarantine.told("p"), []);
            assert!(ask(&quarantine, Role::Guard, later, End::Broke("trap")));
        }
        assert_eq!(quarantine.told("p").len(), 1);
    }

    #[test]
    fn so_many_calls_in_a_row_that_break_set_a_plugin_aside_in_that_role() {
        let almost = broken(BREAKS - 1);
        assert!(ask(&almost, Role::Guard, 1, End::Well));
        assert!(ask(&almost, Role::Guard, 2, End::Broke("trap")));
        assert_eq!(almost.told("p"), [], "one went well in between");

        let broken = broken(BREAKS);
        assert!(!ask(&broken, Role::Guard, FIRST - 1, End::Well));
        assert!(ask(&broken, Role::Shape, 1, End::Well), "another role");
        let told = broken.told("p").remove(0);
        assert_eq!(
            (told.until, told.breaks, told.why.as_str()),
            (at(FIRST), BREAKS, "fuel")
        );
        broken.resume();
        assert!(ask(&broken, Role::Guard, 1, End::Well));
    }

    #[test]
    fn one_call_tries_it_and_twice_as_long_follows_when_that_breaks() {
        let quarantine = broken(BREAKS);
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let until = quarantine.told("p").remove(0).until.millis() as u64;
            pauses.push(until - now);
            now = until;
            let trial = quarantine.enter("p", Role::Guard, at(now)).unwrap();
            assert!(
                !ask(&quarantine, Role::Guard, now, End::Well),
                "one at a time"
            );
            trial.end(End::Broke("trap"));
        }
        let longest = limits::QUARANTINE_LONGEST.value;
        let expected = (0..8).map(|times| (FIRST << times).min(longest));
        assert_eq!(pauses, expected.collect::<Vec<_>>());
        let until = quarantine.told("p").remove(0).until.millis() as u64;
        assert!(ask(&quarantine, Role::Guard, until, End::Well));
        assert_eq!(quarantine.told("p"), []);
        assert!(
            ask(&quarantine, Role::Guard, until, End::Broke("trap")),
            "and counts from nothing"
        );
        assert_eq!(quarantine.told("p"), []);
    }

    #[test]
    fn breaks_long_after_one_another_are_not_in_a_row() {
        for (apart, expected) in [(WINDOW, 1), (WINDOW + 1, 0)] {
            let quarantine = Quarantine::default();
            for number in 0..BREAKS {
                assert!(ask(
                    &quarantine,
                    Role::Guard,
                    number * apart,
                    End::Broke("trap")
                ));
            }
            assert_eq!(quarantine.told("p").len(), expected, "{apart}");
        }
    }

    #[test]
    fn what_says_nothing_counts_for_nothing_and_lets_another_try() {
        let quarantine = broken(BREAKS - 1);
        (0..99).for_each(|_| assert!(ask(&quarantine, Role::Guard, 0, End::Nothing)));
        assert_eq!(quarantine.told("p"), []);
        assert!(ask(&quarantine, Role::Guard, 1, End::Broke("trap")));
        let due = FIRST + 1;
        assert!(ask(&quarantine, Role::Guard, due, End::Nothing));
        drop(quarantine.enter("p", Role::Guard, at(due)).unwrap());
        assert!(ask(&quarantine, Role::Guard, due, End::Well));
        // A wrong clock does not keep it away for as long as it was wrong.
        let years = 5 * 365 * 86_400_000;
        let late = Quarantine::default();
        for number in 0..BREAKS {
            assert!(ask(&late, Role::Guard, years + number, End::Broke("trap")));
        }
        assert!(!ask(&late, Role::Guard, years + BREAKS, End::Well));
        assert!(ask(&late, Role::Guard, 1, End::Well));
    }

    #[test]
    fn a_call_from_before_says_nothing_about_what_is_now() {
        let quarantine = broken(BREAKS - 1);
        let old = quarantine.enter("p", Role::Guard, at(0)).unwrap();
        assert!(ask(&quarantine, Role::Guard, 1, End::Broke("trap")));
        old.end(End::Well);
        assert_eq!(quarantine.told("p").len(), 1, "it began before");
        let old = quarantine.enter("p", Role::Guard, at(FIRST + 1)).unwrap();
        quarantine.resume();
        old.end(End::Broke("trap"));
        assert_eq!(quarantine.told("p"), []);
    }

    #[test]
    fn what_walks_the_journal_is_never_set_aside() {
        for role in [
            Role::React,
            Role::Integration,
            Role::ServiceRules,
            Role::Prepare,
        ] {
            let quarantine = Quarantine::default();
            for now in 0..3 * BREAKS {
                assert!(ask(&quarantine, role, now, End::Broke("trap")));
            }
            assert_eq!(quarantine.told("p"), []);
        }
    }
}
