//! What the calls of a case used, as bars against the limits of production.

use kjerne_host::CallStats;

/// From this share on a bar is red.
const CLOSE: f64 = 0.8;
/// How many signs a bar has.
const WIDTH: usize = 10;

/// The most any call used of each limit.
#[derive(Clone, Default, Debug)]
pub struct Usage {
    calls: u64,
    fuel: Peak,
    memory: Peak,
    host_calls: Peak,
    handed_over: Peak,
    taken_in: u64,
}

/// The call that came closest to a limit.
#[derive(Clone, Copy, Default, Debug)]
struct Peak {
    used: u64,
    limit: u64,
}

impl Peak {
    fn share(self) -> f64 {
        self.used as f64 / self.limit.max(1) as f64
    }

    fn take(&mut self, used: u64, limit: u64) {
        let other = Self { used, limit };
        if other.share() >= self.share() {
            *self = other;
        }
    }

    fn bar(self, colours: bool) -> String {
        let filled = (self.share() * WIDTH as f64).ceil().min(WIDTH as f64) as usize;
        let bar = "█".repeat(filled) + &"·".repeat(WIDTH - filled);
        match colours {
            true if self.share() > CLOSE => format!("\x1b[31m{bar}\x1b[0m"),
            true => format!("\x1b[32m{bar}\x1b[0m"),
            false => bar,
        }
    }
}

impl Usage {
    /// Adds a call.
    pub fn add(&mut self, stats: &CallStats<'_>) {
        self.calls += 1;
        self.fuel.take(stats.fuel, stats.fuel_limit);
        self.memory.take(stats.memory, stats.memory_limit);
        self.host_calls
            .take(stats.host_calls, stats.host_calls_limit);
        self.handed_over
            .take(stats.bytes_out, stats.bytes_out_limit);
        self.taken_in = self.taken_in.max(stats.bytes_in);
    }

    /// One line for each limit; none when the plugin was not called.
    pub fn lines(&self, colours: bool) -> Vec<String> {
        if self.calls == 0 {
            return vec!["the plugin was not called".to_owned()];
        }
        let line = |name: &str, peak: Peak, unit: &str| {
            let (bar, share) = (peak.bar(colours), peak.share() * 100.0);
            let (used, limit) = (grouped(peak.used), grouped(peak.limit));
            format!("{name:<11}{bar} {share:>3.0} %  {used} of {limit}{unit}")
        };
        vec![
            line("fuel", self.fuel, ""),
            line("memory", self.memory, " bytes"),
            line("host calls", self.host_calls, ""),
            line("bytes out", self.handed_over, ""),
            format!(
                "{:<11}{} (the most of one call; calls: {})",
                "bytes in",
                grouped(self.taken_in),
                self.calls
            ),
        ]
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_the_share_and_turns_red_when_it_gets_close() {
        let bar = |used, colours| Peak { used, limit: 100 }.bar(colours);
        assert_eq!(bar(0, false), "··········");
        assert_eq!(bar(41, false), "█████·····");
        assert_eq!(bar(250, false), "██████████");
        assert!(bar(80, true).starts_with("\x1b[32m"));
        assert!(bar(81, true).starts_with("\x1b[31m"));
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(20_123_456), "20,123,456");
    }
}
