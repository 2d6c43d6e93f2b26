//! The cost ledger: what calls used, by plugin, version, role and kind, and what they used within the last minute.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use kjerne_core::Role;
use kjerne_model::Name;
use kjerne_store::costs::Spent;

/// What one call used, against what it might have used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallStats<'a> {
    /// The plugin.
    pub plugin: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The role it was asked in.
    pub role: Role,
    /// The kinds of what it was shown, each with how many changes of it.
    pub kinds: &'a [(Name, u64)],
    /// Fuel used.
    pub fuel: u64,
    /// Fuel allowed.
    pub fuel_limit: u64,
    /// The most linear memory it had, in bytes.
    pub memory: u64,
    /// Linear memory allowed, in bytes.
    pub memory_limit: u64,
    /// Calls to the host.
    pub host_calls: u64,
    /// Calls to the host allowed.
    pub host_calls_limit: u64,
    /// Rows of records and indexes looked at.
    pub rows: u64,
    /// Rows that may be looked at.
    pub rows_limit: u64,
    /// Bytes it was given and read, about.
    pub bytes_in: u64,
    /// Bytes it handed over, about.
    pub bytes_out: u64,
    /// Bytes it may hand over.
    pub bytes_out_limit: u64,
    /// Lines it logged.
    pub log_lines: u64,
    /// Lines it may log.
    pub log_lines_limit: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// How long it may take, in microseconds.
    pub micros_limit: u64,
    /// The limit it passed, or how it broke.
    pub fault: Option<&'a str>,
}

impl CallStats<'_> {
    fn spent(&self) -> Spent {
        Spent {
            faults: u64::from(self.fault.is_some()),
            fuel: self.fuel,
            memory: self.memory,
            host_calls: self.host_calls,
            rows: self.rows,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            ..Spent::call(self.micros)
        }
    }
}

/// What a plugin has cost in one role, about one kind, since the ledger was last drained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cost {
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The role.
    pub role: Role,
    /// The kind; none where it was asked about none.
    pub kind: Option<Name>,
    /// What it used.
    pub spent: Spent,
}

/// The account of one plugin version.
pub struct Account {
    plugin: String,
    version: String,
    began: Instant,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    /// By role and kind: as many as a plugin has roles and a workspace kinds, at most.
    sums: Vec<(Role, Option<Name>, Spent)>,
    recent: Recent,
}

impl Account {
    /// An account with nothing on it.
    pub fn new(plugin: &str, version: &str) -> Self {
        Self {
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            began: Instant::now(),
            books: Mutex::default(),
        }
    }

    /// Whose it is.
    pub fn is_of(&self, plugin: &str, version: &str) -> bool {
        self.plugin == plugin && self.version == version
    }

    /// Books one call.
    pub fn book(&self, stats: &CallStats<'_>) {
        self.add(stats.role, stats.kinds, &stats.spent());
    }

    /// Books a call that was not made because the plugin lacks something.
    pub fn book_refused(&self, role: Role) {
        let spent = Spent {
            calls: 1,
            faults: 1,
            ..Spent::default()
        };
        self.add(role, &[], &spent);
    }

    /// Books that a call came to nothing which is on it already.
    pub fn book_fault(&self, role: Role) {
        let spent = Spent {
            faults: 1,
            ..Spent::default()
        };
        self.add(role, &[], &spent);
    }

    fn add(&self, role: Role, kinds: &[(Name, u64)], spent: &Spent) {
        let tick = self.tick();
        let mut books = self.books();
        books.recent.add(tick, role, spent);
        // What was shown most of has the call itself, and what is left when the others have their shares.
        let Some(main) = (0..kinds.len()).max_by_key(|at| kinds[*at].1) else {
            books.sum(role, None).add(spent);
            return;
        };
        let whole: u64 = kinds.iter().map(|(_, count)| count).sum();
        let mut rest = *spent;
        for (at, (kind, count)) in kinds.iter().enumerate() {
            if at != main {
                let share = spent.share(*count, whole);
                rest = rest.less(&share);
                books.sum(role, Some(kind)).add(&share);
            }
        }
        books.sum(role, Some(&kinds[main].0)).add(&rest);
    }

    /// Takes off what is on it; a call that is booked meanwhile is on the next bill.
    pub fn drain(&self, costs: &mut Vec<Cost>) {
        let sums = std::mem::take(&mut self.books().sums);
        let cost = |(role, kind, spent)| Cost {
            plugin: self.plugin.clone(),
            version: self.version.clone(),
            role,
            kind,
            spent,
        };
        costs.extend(sums.into_iter().map(cost));
    }

    /// What was used within the last minute, by role.
    pub fn recent(&self, costs: &mut Vec<Cost>) {
        let sums = self.books().recent.sums(self.tick());
        costs.extend(sums.into_iter().map(|(role, spent)| Cost {
            plugin: self.plugin.clone(),
            version: self.version.clone(),
            role,
            kind: None,
            spent,
        }));
    }

    fn tick(&self) -> u64 {
        self.began.elapsed().as_secs() / TICK_SECONDS
    }

    /// Sums are whole after every statement, so a panic while they were held harms nothing.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn sum(&mut self, role: Role, kind: Option<&Name>) -> &mut Spent {
        let is_it =
            |(of, about, _): &(Role, Option<Name>, Spent)| *of == role && about.as_ref() == kind;
        let place = self.sums.iter().position(is_it).unwrap_or_else(|| {
            self.sums.push((role, kind.cloned(), Spent::default()));
            self.sums.len() - 1
        });
        &mut self.sums[place].2
    }
}

const TICK_SECONDS: u64 = 5;
const TICKS: u64 = 60 / TICK_SECONDS;

/// A ring of ticks that come to a minute.
#[derive(Default)]
struct Recent([Tick; TICKS as usize]);

#[derive(Default)]
struct Tick {
    number: u64,
    sums: Vec<(Role, Spent)>,
}

impl Recent {
    fn add(&mut self, number: u64, role: Role, spent: &Spent) {
        let tick = &mut self.0[(number % TICKS) as usize];
        if tick.number != number {
            tick.number = number;
            tick.sums.clear();
        }
        merge(&mut tick.sums, role, spent);
    }

    fn sums(&self, now: u64) -> Vec<(Role, Spent)> {
        let mut sums = Vec::new();
        let fresh = |tick: &&Tick| tick.number <= now && tick.number + TICKS > now;
        for (role, spent) in self.0.iter().filter(fresh).flat_map(|tick| &tick.sums) {
            merge(&mut sums, *role, spent);
        }
        sums
    }
}

fn merge(sums: &mut Vec<(Role, Spent)>, role: Role, spent: &Spent) {
    match sums.iter_mut().find(|(of, _)| *of == role) {
        Some((_, sum)) => sum.add(spent),
        None => sums.push((role, *spent)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spent(fuel: u64) -> Spent {
        Spent {
            fuel,
            ..Spent::call(3)
        }
    }

    /// The parts of kinds come to the whole, whatever does not divide.
    #[test]
    fn a_call_about_several_kinds_is_parted_by_what_was_shown() {
        let name = |text| Name::new(text).unwrap();
        let account = Account::new("p", "1");
        let kinds = [(name("account"), 1), (name("case"), 5), (name("task"), 1)];
        account.add(Role::Guard, &kinds, &spent(100));
        account.add(Role::Guard, &[], &spent(7));
        let mut costs = Vec::new();
        account.drain(&mut costs);
        let found: Vec<_> = costs
            .iter()
            .map(|cost| {
                (
                    cost.kind.as_ref().map(Name::as_str),
                    cost.spent.fuel,
                    cost.spent.calls,
                )
            })
            .collect();
        let expected = [
            (Some("account"), 14, 0),
            (Some("task"), 14, 0),
            (Some("case"), 72, 1),
            (None, 7, 1),
        ];
        assert_eq!(found, expected);
        costs.clear();
        account.drain(&mut costs);
        assert_eq!(costs, []);
        account.recent(&mut costs);
        assert_eq!(
            (costs.len(), costs[0].spent.fuel),
            (1, 107),
            "drained, and recent still"
        );
    }

    #[test]
    fn a_minute_after_it_was_used_it_is_recent_no_more() {
        let mut recent = Recent::default();
        recent.add(3, Role::Guard, &spent(1));
        recent.add(4, Role::Guard, &spent(2));
        recent.add(4, Role::Shape, &spent(4));
        for (now, guard, shape) in [(4, 3, 4), (14, 3, 4), (15, 2, 4), (16, 0, 0)] {
            let sums = recent.sums(now);
            let of = |role| sums.iter().find(|(of, _)| *of == role);
            let fuel = |role| of(role).map_or(0, |(_, spent)| spent.fuel);
            assert_eq!(
                (fuel(Role::Guard), fuel(Role::Shape)),
                (guard, shape),
                "{now}"
            );
        }
        recent.add(16, Role::Guard, &spent(8));
        assert_eq!(
            recent.sums(16),
            [(Role::Guard, spent(8))],
            "its place is given anew"
        );
    }
}
