//! What one call uses, against what it may use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kjerne_core::Allowance;
use kjerne_store::Halt;
use wasmtime::ResourceLimiter;

use crate::limits::{self, Budget};

/// A limit that was passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Its name.
    pub limit: &'static str,
    /// Its number.
    pub allowed: u64,
    /// What is counted.
    pub unit: &'static str,
}

/// The counters of one call.
pub struct Meter {
    /// What the call may use.
    pub budget: Budget,
    started: Instant,
    deadline: Instant,
    memory: u64,
    /// The most linear memory the guest had, in all its memories together.
    pub memory_peak: u64,
    tables: u64,
    /// Memory or table growth that was refused; the guest may live with it, or trap over it.
    pub refused: Option<Passed>,
    /// A limit that was passed in a call to the host. Such a call never counts as done, even when
    /// the guest goes on and returns.
    pub passed: Option<Passed>,
    told: bool,
    /// Why the host could not do its part.
    pub broken: Option<String>,
    /// Calls to the host so far.
    pub host_calls: u64,
    /// Bytes handed to the guest: its arguments and what it read.
    pub bytes_in: u64,
    read: u64,
    /// Bytes the guest handed over.
    pub bytes_out: u64,
    /// Bytes of these that are messages.
    told_out: u64,
    items: u64,
    kept: u64,
    rows: Arc<AtomicU64>,
    /// Lines logged.
    pub log_lines: u64,
    /// The last line logged as an error; a panic says what it is in this way.
    pub last_error: Option<String>,
}

impl Meter {
    /// Begins to count.
    pub fn start(budget: Budget, bytes_in: u64) -> Self {
        let started = Instant::now();
        Self {
            budget,
            started,
            deadline: started + Duration::from_millis(budget.wall_ms),
            memory: 0,
            memory_peak: 0,
            tables: 0,
            refused: None,
            passed: None,
            told: false,
            broken: None,
            host_calls: 0,
            bytes_in,
            read: 0,
            bytes_out: 0,
            told_out: 0,
            items: 0,
            kept: 0,
            rows: Arc::default(),
            log_lines: 0,
            last_error: None,
        }
    }

    /// How long the call has taken, in microseconds.
    pub fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Checks the clock.
    pub fn check_time(&mut self) -> Result<(), Passed> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        self.pass(Passed {
            limit: self.budget.names.wall,
            allowed: self.budget.wall_ms,
            unit: "ms",
        })
    }

    /// Counts a call to the host.
    pub fn host_call(&mut self) -> Result<(), Passed> {
        self.check_time()?;
        self.host_calls += 1;
        let allowed = self.budget.host_calls;
        self.within(
            self.host_calls,
            Passed {
                limit: self.budget.names.host_calls,
                allowed,
                unit: "calls",
            },
        )
    }

    /// True the first time: a guest is told once that it passed a limit, so that it can say so in
    /// its log, and is ended the next time.
    pub fn tell(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true)
    }

    /// Counts what the guest reads.
    pub fn read(&mut self, bytes: u64) -> Result<(), Passed> {
        self.read += bytes;
        self.bytes_in += bytes;
        let most = Passed {
            allowed: self.budget.read,
            ..Passed::of(limits::READ)
        };
        self.within(self.read, most)
    }

    /// Counts one thing the guest hands over.
    pub fn output(&mut self, bytes: u64) -> Result<(), Passed> {
        self.items += 1;
        self.within(self.items, Passed::of(limits::OUTPUT_ITEMS))?;
        self.output_bytes(bytes)
    }

    /// Counts more of what the guest hands over: what is kept for it beyond what it gave.
    pub fn output_bytes(&mut self, bytes: u64) -> Result<(), Passed> {
        self.bytes_out += bytes;
        let own = self.bytes_out - self.told_out;
        let usual = Passed {
            allowed: self.budget.output,
            ..Passed::of(limits::OUTPUT)
        };
        self.within(own, usual)?;
        self.within(self.bytes_out, self.output_limit())
    }

    /// Counts a message the guest hands over.
    pub fn message(&mut self, bytes: u64) -> Result<(), Passed> {
        self.told_out += bytes;
        self.output(bytes)
    }

    /// What the guest may hand over, with its messages.
    pub fn output_limit(&self) -> Passed {
        let usual = Passed::of(limits::OUTPUT);
        Passed {
            allowed: self.budget.output + self.budget.messages,
            ..usual
        }
    }

    /// Counts what the host keeps for the guest until the guest lets go of it.
    pub fn keep(&mut self, bytes: u64) -> Result<(), Passed> {
        self.kept += bytes;
        self.within(self.kept, Passed::of(limits::KEPT))
    }

    /// Gives back what was kept.
    pub fn release(&mut self, bytes: u64) {
        self.kept = self.kept.saturating_sub(bytes);
    }

    /// What the call's reader is allowed: it counts every row, and looks at the clock at each, since
    /// one call to the host may look at very many.
    pub fn allowance(&self) -> Arc<Allowance> {
        let (rows, most, deadline) = (Arc::clone(&self.rows), self.budget.rows, self.deadline);
        Arc::new(Allowance::new(None, move || {
            let read = rows.fetch_add(1, Ordering::Relaxed) + 1;
            if read > most || Instant::now() >= deadline {
                Err(Halt::Unwanted)
            } else {
                Ok(())
            }
        }))
    }

    /// Rows looked at so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Why the reader was stopped.
    pub fn halted(&mut self) -> Passed {
        let (limit, allowed) = (self.budget.names.rows, self.budget.rows);
        let too_many = Passed {
            limit,
            allowed,
            unit: "rows",
        };
        match self.check_time() {
            Err(late) => late,
            Ok(()) => *self.passed.get_or_insert(too_many),
        }
    }

    /// Whether the clock has ended the call.
    pub fn is_late(&self) -> bool {
        self.passed
            .is_some_and(|passed| passed.limit == self.budget.names.wall)
    }

    /// Notes that a limit was passed which is counted elsewhere.
    pub fn passes(&mut self, limit: kjerne_core::limits::Limit) -> Passed {
        let passed = Passed::of(limit);
        *self.passed.get_or_insert(passed)
    }

    /// Counts a line of the log.
    pub fn log_line(&mut self) -> Result<(), Passed> {
        self.log_lines += 1;
        self.within(self.log_lines, Passed::of(limits::LOG_LINES))
    }

    fn within(&mut self, used: u64, passed: Passed) -> Result<(), Passed> {
        if used <= passed.allowed {
            Ok(())
        } else {
            self.pass(passed)
        }
    }

    fn pass(&mut self, passed: Passed) -> Result<(), Passed> {
        self.passed.get_or_insert(passed);
        Err(passed)
    }
}

impl Passed {
    /// This limit.
    pub fn of(limit: kjerne_core::limits::Limit) -> Self {
        Self {
            limit: limit.name,
            allowed: limit.value,
            unit: limit.unit,
        }
    }
}

/// Growth beyond the limit fails as if the machine had no more memory, which languages report in
/// their own way; that it was refused is remembered, because most guests trap over it.
impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = self.budget.memory;
        let all = self.memory + desired.saturating_sub(current) as u64;
        if all > allowed {
            self.refused = Some(Passed {
                limit: self.budget.names.memory,
                allowed,
                unit: "bytes",
            });
            return Ok(false);
        }
        // What passes the memory's own bound fails in any case, and is not counted.
        if maximum.is_none_or(|most| desired <= most) {
            self.memory = all;
            self.memory_peak = self.memory_peak.max(all);
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let all = self.tables + desired.saturating_sub(current) as u64;
        let fits = all <= limits::TABLE.value;
        if !fits {
            self.refused = Some(Passed::of(limits::TABLE));
        } else if maximum.is_none_or(|most| desired <= most) {
            self.tables = all;
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        limits::INSTANCES.count()
    }

    fn tables(&self) -> usize {
        limits::TABLES.count()
    }

    fn memories(&self) -> usize {
        limits::MEMORIES.count()
    }
}
