//! The cost ledger: counters per plugin, version and role, and what one call used.

use std::sync::atomic::{AtomicU64, Ordering};

use kjerne_core::Role;

/// What one call used, against what it might have used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallStats<'a> {
    /// The plugin.
    pub plugin: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The role it was asked in.
    pub role: Role,
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

/// What a plugin has cost in one role since the ledger was last drained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cost {
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The role.
    pub role: Role,
    /// Calls.
    pub calls: u64,
    /// Fuel.
    pub fuel: u64,
    /// Time, in microseconds.
    pub micros: u64,
    /// Calls that broke.
    pub faults: u64,
}

/// The counters of one plugin version.
pub struct Account {
    plugin: String,
    version: String,
    roles: [Counters; Role::ALL.len()],
}

#[derive(Default)]
struct Counters {
    calls: AtomicU64,
    fuel: AtomicU64,
    micros: AtomicU64,
    faults: AtomicU64,
}

impl Account {
    /// An account with nothing on it.
    pub fn new(plugin: &str, version: &str) -> Self {
        let roles = std::array::from_fn(|_| Counters::default());
        Self {
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            roles,
        }
    }

    /// Whose it is.
    pub fn is_of(&self, plugin: &str, version: &str) -> bool {
        self.plugin == plugin && self.version == version
    }

    /// Books one call.
    pub fn book(&self, stats: &CallStats<'_>) {
        let counters = &self.roles[stats.role as usize];
        counters.calls.fetch_add(1, Ordering::Relaxed);
        counters.fuel.fetch_add(stats.fuel, Ordering::Relaxed);
        counters.micros.fetch_add(stats.micros, Ordering::Relaxed);
        counters
            .faults
            .fetch_add(u64::from(stats.fault.is_some()), Ordering::Relaxed);
    }

    /// Books a call that was not made because the plugin lacks something.
    pub fn book_refused(&self, role: Role) {
        let counters = &self.roles[role as usize];
        counters.calls.fetch_add(1, Ordering::Relaxed);
        counters.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// Books that a call came to nothing which is on it already.
    pub fn book_fault(&self, role: Role) {
        let counters = &self.roles[role as usize];
        counters.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes off what is on it; a call that is booked meanwhile is on the next bill.
    pub fn drain(&self, costs: &mut Vec<Cost>) {
        for role in Role::ALL {
            let counters = &self.roles[role as usize];
            let calls = counters.calls.swap(0, Ordering::Relaxed);
            if calls > 0 {
                costs.push(Cost {
                    plugin: self.plugin.clone(),
                    version: self.version.clone(),
                    role,
                    calls,
                    fuel: counters.fuel.swap(0, Ordering::Relaxed),
                    micros: counters.micros.swap(0, Ordering::Relaxed),
                    faults: counters.faults.swap(0, Ordering::Relaxed),
                });
            }
        }
    }
}
