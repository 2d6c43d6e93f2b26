//! What stands for itself in a form of times. A zone among it would be passed over, and the time be another one.

/// What a form says of the zone in plain text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlainZone {
    /// Nothing.
    Silent,
    /// Its times are those of UTC.
    Utc,
    /// There is a word that may be a zone.
    Named,
}

/// Words beside times that name no zone. There are too many names of zones to list them, and so every other word is
/// taken for one.
const HARMLESS: [&str; 27] = [
    "T", "KL", "KLO", "KLOKKEN", "AT", "UM", "UHR", "H", "HR", "HRS", "HOURS", "M", "MIN", "S",
    "SEC", "SEK", "OM", "LE", "DEN", "DER", "DE", "OF", "AND", "THE", "A", "LAS", "À",
];

/// Looks at the words of a pattern that stand for themselves: those that mean UTC, and those that may name a zone;
/// another offset would be passed over, and so would the half of a day, which both are faults.
pub fn plain_zone(pattern: &str, text: &str) -> Result<PlainZone, String> {
    let reads = |wanted: &str| directives(pattern).any(|one| wanted.contains(one));
    if reads("zQZs") || !reads("HIklRTcrX") {
        return Ok(PlainZone::Silent);
    }
    let (mut is_utc, mut named) = (false, None);
    let plain = plain_text(pattern).to_uppercase();
    for word in plain.split(|c: char| c.is_whitespace() || "\0,;'\"()[]".contains(c)) {
        let word = word.trim_matches(['.', ':', '/']);
        if is_universal(word) {
            is_utc = true;
        } else if has_offset(word) {
            return Err(format!(
                "the form {text:?} has an offset as plain text, which would be passed over; write %:z or %z"
            ));
        } else if matches!(word, "AM" | "PM" | "A.M" | "P.M") {
            return Err(format!(
                "the form {text:?} has {word} as plain text, which would be passed over; write %I for the hour of \
                 12, and %p"
            ));
        } else if word.contains(char::is_alphabetic) && !HARMLESS.contains(&word) {
            named = Some(word);
        }
    }
    match (is_utc, named) {
        // Such as `GMT Standard Time`, which is British summer time too.
        (true, Some(word)) => Err(format!(
            "the form {text:?} has {word:?} as plain text beside UTC, and that may be another zone; say zone in \
             the mapping, and leave UTC out of the form"
        )),
        (true, None) => Ok(PlainZone::Utc),
        (false, Some(_)) => Ok(PlainZone::Named),
        (false, None) => Ok(PlainZone::Silent),
    }
}

/// True for a word that means UTC, with an offset of zero or without.
fn is_universal(word: &str) -> bool {
    let rest = ["UTC", "GMT", "ZULU", "Z"]
        .iter()
        .find_map(|utc| word.strip_prefix(utc));
    matches!(rest, Some("")) || word == "ETC/UTC" || is_offset(rest.unwrap_or(word), "0")
}

/// The letters of a pattern's directives.
pub fn directives(pattern: &str) -> impl Iterator<Item = char> {
    let mut signs = pattern.chars();
    std::iter::from_fn(move || {
        signs.find(|sign| *sign == '%')?;
        signs.find(|sign| sign.is_alphabetic() || *sign == '%')
    })
}

/// What of a pattern stands for itself, with a NUL for each directive.
fn plain_text(pattern: &str) -> String {
    let (mut plain, mut signs) = (String::new(), pattern.chars());
    while let Some(sign) = signs.next() {
        if sign == '%' {
            signs.find(|c: &char| c.is_alphabetic() || *c == '%');
            // Digits before a directive, the century of `-20%y`, are a part of its number.
            let digits = |c: char| c.is_ascii_digit();
            plain.truncate(plain.trim_end_matches(digits).len());
            plain.push('\0');
        } else {
            plain.push(sign);
        }
    }
    plain
}

const SIGNS: [char; 3] = ['+', '-', '\u{2212}'];

/// True for `+00`, `-0000` or `+00:00`, of these digits.
fn is_offset(word: &str, digits: &str) -> bool {
    let Some(number) = word.strip_prefix(SIGNS) else {
        return false;
    };
    let number = number.replace(':', "");
    (1..=4).contains(&number.len()) && number.chars().all(|c| digits.contains(c))
}

/// True for a word with a sign before a digit, whatever stands around them: `+05:00`, `UTC+5h`.
fn has_offset(word: &str) -> bool {
    let mut pairs = word.chars().zip(word.chars().skip(1));
    pairs.any(|(sign, digit)| SIGNS.contains(&sign) && digit.is_ascii_digit())
}
