//! What calls of a plugin used, summed, with a small histogram of how long they took.

/// The upper ends of the histogram's steps, in millionths of a second; beyond the last there is one more.
pub const STEPS: [u64; 20] = [
    5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000,
    500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000,
];

/// Sums over calls. Each saturates, so that no sum ever wraps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// How often it was called.
    pub calls: u64,
    /// How many of the calls broke, or came to nothing.
    pub faults: u64,
    /// The fuel used; of one version of the runtime it can be compared, over two it cannot.
    pub fuel: u64,
    /// The time taken, in millionths of a second.
    pub micros: u64,
    /// The most linear memory one call had, in bytes.
    pub memory: u64,
    /// Calls to the host.
    pub host_calls: u64,
    /// Rows of records and indexes looked at.
    pub rows: u64,
    /// Bytes given and read.
    pub bytes_in: u64,
    /// Bytes handed over.
    pub bytes_out: u64,
    /// Calls by the time they took: those of each step of [`STEPS`], and those beyond.
    pub times: [u64; STEPS.len() + 1],
}

impl Spent {
    /// One call that took so long, with nothing else known of it.
    #[must_use]
    pub fn call(micros: u64) -> Self {
        let mut spent = Self {
            calls: 1,
            micros,
            ..Self::default()
        };
        spent.times[STEPS.partition_point(|end| *end < micros)] = 1;
        spent
    }

    /// Adds another sum.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.calls, other.calls),
            (&mut self.faults, other.faults),
            (&mut self.fuel, other.fuel),
            (&mut self.micros, other.micros),
            (&mut self.host_calls, other.host_calls),
            (&mut self.rows, other.rows),
            (&mut self.bytes_in, other.bytes_in),
            (&mut self.bytes_out, other.bytes_out),
        ];
        let times = self.times.iter_mut().zip(other.times);
        for (sum, more) in pairs.into_iter().chain(times) {
            *sum = sum.saturating_add(more);
        }
        self.memory = self.memory.max(other.memory);
    }

    /// The part of what was used that falls to `part` of `whole`: fuel, time, calls to the host, rows and bytes.
    /// The call itself, its memory and its step of the histogram cannot be parted and are not in it.
    #[must_use]
    pub fn share(&self, part: u64, whole: u64) -> Self {
        let of = |number: u64| {
            let share = u128::from(number) * u128::from(part) / u128::from(whole.max(1));
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        Self {
            fuel: of(self.fuel),
            micros: of(self.micros),
            host_calls: of(self.host_calls),
            rows: of(self.rows),
            bytes_in: of(self.bytes_in),
            bytes_out: of(self.bytes_out),
            ..Self::default()
        }
    }

    /// What is left when a share is taken off.
    #[must_use]
    pub fn less(&self, share: &Self) -> Self {
        Self {
            fuel: self.fuel.saturating_sub(share.fuel),
            micros: self.micros.saturating_sub(share.micros),
            host_calls: self.host_calls.saturating_sub(share.host_calls),
            rows: self.rows.saturating_sub(share.rows),
            bytes_in: self.bytes_in.saturating_sub(share.bytes_in),
            bytes_out: self.bytes_out.saturating_sub(share.bytes_out),
            ..*self
        }
    }

    /// The time that so many percent of the calls took at most, in millionths of a second: the end of a step of
    /// the histogram. None when no call is known, or it lies beyond the last step.
    #[must_use]
    pub fn within(&self, percent: u64) -> Option<u64> {
        let all: u64 = self
            .times
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count));
        let wanted = (u128::from(all) * u128::from(percent)).div_ceil(100);
        let mut so_far = 0u128;
        let step = self.times.iter().position(|count| {
            so_far += u128::from(*count);
            so_far >= wanted
        })?;
        STEPS.get(step).copied().filter(|_| all > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_the_end_of_their_step() {
        let mut spent = Spent::default();
        assert_eq!(spent.within(50), None);
        for (micros, times) in [(5, 49), (6, 49), (900, 1), (3_000_000, 1)] {
            (0..times).for_each(|_| spent.add(&Spent::call(micros)));
        }
        for (percent, expected) in [
            (1, 5),
            (49, 5),
            (50, 10),
            (98, 10),
            (99, 1_000),
            (100, 5_000_000),
        ] {
            assert_eq!(spent.within(percent), Some(expected), "{percent}");
        }
        spent = Spent::call(10_000_001);
        assert_eq!(spent.within(50), None, "beyond the last step");
        assert_eq!(Spent::call(10_000_000).within(50), Some(10_000_000));
    }

    #[test]
    fn shares_and_the_rest_come_to_the_whole() {
        let whole = Spent {
            fuel: 1_000_003,
            micros: 7,
            rows: u64::MAX,
            memory: 9,
            host_calls: 5,
            bytes_in: 11,
            bytes_out: 2,
            ..Spent::call(7)
        };
        let mut sum = whole.less(&whole.share(1, 3));
        assert_eq!((sum.calls, sum.memory), (1, 9));
        sum.add(&whole.share(1, 3));
        assert_eq!(sum, whole);
    }
}
