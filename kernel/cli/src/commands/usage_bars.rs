//! What a case used of each limit, as bars.

use kjerne_author::{Peak, Usage};

/// From this share on a bar is red.
const CLOSE: f64 = 0.8;
/// How many signs a bar has.
const WIDTH: usize = 10;

fn bar(peak: Peak, colours: bool) -> String {
    let filled = (peak.share() * WIDTH as f64).ceil().min(WIDTH as f64) as usize;
    let bar = "█".repeat(filled) + &"·".repeat(WIDTH - filled);
    match colours {
        true if peak.share() > CLOSE => format!("\x1b[31m{bar}\x1b[0m"),
        true => format!("\x1b[32m{bar}\x1b[0m"),
        false => bar,
    }
}

/// One line for each limit; none when the plugin was not called.
pub fn lines(usage: &Usage, colours: bool) -> Vec<String> {
    if usage.calls == 0 {
        return vec!["the plugin was not called".to_owned()];
    }
    let line = |name: &str, peak: Peak, unit: &str| {
        let (bar, share) = (bar(peak, colours), peak.share() * 100.0);
        let (used, limit) = (grouped(peak.used), grouped(peak.limit));
        format!("{name:<11}{bar} {share:>3.0} %  {used} of {limit}{unit}")
    };
    vec![
        line("fuel", usage.fuel, ""),
        line("memory", usage.memory, " bytes"),
        line("host calls", usage.host_calls, ""),
        line("bytes out", usage.bytes_out, ""),
        format!(
            "{:<11}{} (the most of one call; calls: {})",
            "bytes in",
            grouped(usage.bytes_in),
            usage.calls
        ),
    ]
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
        let bar = |used, colours| super::bar(Peak { used, limit: 100 }, colours);
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
