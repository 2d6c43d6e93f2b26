//! What the calls of a case used of the limits of production.

use kjerne_host::CallStats;

/// The most any call used of each limit.
#[derive(Clone, Default, Debug)]
pub struct Usage {
    /// Calls of the plugin.
    pub calls: u64,
    /// Fuel.
    pub fuel: Peak,
    /// The most fuel one call used, whatever it was allowed.
    pub most_fuel: u64,
    /// Bytes of memory.
    pub memory: Peak,
    /// Calls of the host.
    pub host_calls: Peak,
    /// Bytes the plugin handed over.
    pub bytes_out: Peak,
    /// Bytes it was given; the most of one call.
    pub bytes_in: u64,
}

/// The call that came closest to a limit.
#[derive(Clone, Copy, Default, Debug)]
pub struct Peak {
    /// What it used.
    pub used: u64,
    /// What it may use.
    pub limit: u64,
}

impl Peak {
    /// The part of the limit that was used.
    #[must_use]
    pub fn share(self) -> f64 {
        self.used as f64 / self.limit.max(1) as f64
    }

    fn take(&mut self, used: u64, limit: u64) {
        let other = Self { used, limit };
        if other.share() >= self.share() {
            *self = other;
        }
    }
}

impl Usage {
    /// Adds a call.
    pub fn add(&mut self, stats: &CallStats<'_>) {
        self.calls += 1;
        self.fuel.take(stats.fuel, stats.fuel_limit);
        self.most_fuel = self.most_fuel.max(stats.fuel);
        self.memory.take(stats.memory, stats.memory_limit);
        self.host_calls
            .take(stats.host_calls, stats.host_calls_limit);
        self.bytes_out.take(stats.bytes_out, stats.bytes_out_limit);
        self.bytes_in = self.bytes_in.max(stats.bytes_in);
    }
}
