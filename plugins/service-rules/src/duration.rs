//! Lengths of time as people write them in the settings: `30m`, `4h`, `1h 30m`.

/// The longest length, in hours: a year. What is longer is a mistake, or meant for never.
const LONGEST: i64 = 8_760;

/// Reads a length as minutes.
pub fn parse_minutes(text: &str) -> Result<i64, String> {
    let wrong = || {
        format!(
            "'{text}' is not a length of time; write hours and minutes, such as 30m, 4h or 1h 30m"
        )
    };
    let (mut minutes, mut number) = (0_i64, None::<i64>);
    for letter in text.chars() {
        match (letter, number) {
            ('0'..='9', _) => {
                let digit = i64::from(letter as u32 - '0' as u32);
                let grown = number.unwrap_or(0).checked_mul(10).map(|tens| tens + digit);
                number = Some(grown.filter(|size| *size <= 1_000_000).ok_or_else(wrong)?);
            }
            ('h', Some(hours)) => (minutes, number) = (minutes + hours * 60, None),
            ('m', Some(more)) => (minutes, number) = (minutes + more, None),
            (' ', None) => {}
            _ => return Err(wrong()),
        }
    }
    if number.is_some() || !text.contains(['h', 'm']) {
        return Err(wrong());
    }
    if minutes > LONGEST * 60 {
        return Err(format!(
            "'{text}' is too long; write at most {LONGEST}h, which is a year"
        ));
    }
    Ok(minutes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn b4_a_length_of_more_than_a_year_is_refused() {
        for long in ["8760h 1m", "87600h", "999999h"] {
            assert!(
                parse_minutes(long).unwrap_err().contains("at most 8760h"),
                "{long}"
            );
        }
    }

    #[test]
    fn lengths_are_read_as_written() {
        for (text, minutes) in [
            ("30m", 30),
            ("4h", 240),
            ("1h30m", 90),
            ("1h 30m", 90),
            ("0m", 0),
            ("8760h", 525_600),
        ] {
            assert_eq!(parse_minutes(text), Ok(minutes), "{text}");
        }
        for wrong in [
            "",
            " ",
            "30",
            "4 h",
            "h",
            "2d",
            "1.5h",
            "-4h",
            "99999999h",
            "m30",
        ] {
            assert!(parse_minutes(wrong).unwrap_err().contains("30m"), "{wrong}");
        }
    }
}
