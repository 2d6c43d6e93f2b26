//! Phone numbers: what is one, and when two are the same.
//!
//! A number is kept as it was written. Reading it by the plan of its country would need the country,
//! which a national number does not tell and a workspace does not say; what can be told without it
//! is told here: the digits, whether they begin with a country, and the extension.

/// The most bytes of a phone field.
pub(crate) const MAX_BYTES: usize = 64;

/// The words and marks behind which an extension stands, longest first.
const EXTENSIONS: [&str; 6] = [";ext=", "extension", "ext.", "ext", "x", "#"];

/// A number cut into its parts.
struct Parts {
    international: bool,
    digits: String,
    extension: String,
}

/// True for digits with the marks people put between them; 3 to 20 digits, and an extension of up to
/// 11 behind them. `tel:` may stand in front.
pub(crate) fn is_phone(text: &str) -> bool {
    let read = parts(text);
    text.len() <= MAX_BYTES && read.is_some_and(|parts| (3..=20).contains(&parts.digits.len()))
}

/// What a number is compared by: its digits, with `+` in front when they begin with a country, and
/// the extension. Empty for what is no number.
pub(crate) fn phone_key(text: &str) -> String {
    let Some(parts) = parts(text) else {
        return String::new();
    };
    let plus = if parts.international { "+" } else { "" };
    let (digits, extension) = (parts.digits, parts.extension);
    let mark = if extension.is_empty() { "" } else { "x" };
    format!("{plus}{digits}{mark}{extension}")
}

fn parts(text: &str) -> Option<Parts> {
    let lower = text.trim().to_lowercase();
    let number = lower.strip_prefix("tel:").unwrap_or(&lower);
    let (number, extension) = split_extension(number)?;
    // The zero in brackets is dialled within the country only.
    let number = number.trim_start();
    let (international, number) = match number.strip_prefix('+') {
        Some(rest) => (true, rest.replacen("(0)", "", 1)),
        None => (false, number.to_owned()),
    };
    let digits = digits_between_marks(&number)?;
    Some(match digits.strip_prefix("00").filter(|_| !international) {
        Some(rest) => Parts {
            international: true,
            digits: rest.to_owned(),
            extension,
        },
        None => Parts {
            international,
            digits,
            extension,
        },
    })
}

/// The number and the digits of its extension; none when what stands behind the mark is no extension.
fn split_extension(text: &str) -> Option<(&str, String)> {
    for mark in EXTENSIONS {
        if let Some((number, extension)) = text.split_once(mark) {
            let digits = digits_between_marks(extension)?;
            let number = number.trim_end().trim_end_matches([',', ';']);
            return (1..=11).contains(&digits.len()).then_some((number, digits));
        }
    }
    Some((text, String::new()))
}

/// The digits of a text in which nothing else stands but marks.
fn digits_between_marks(text: &str) -> Option<String> {
    let is_mark = |letter: char| {
        letter.is_whitespace() && !letter.is_control()
            || matches!(
                letter,
                '-' | '.' | '(' | ')' | ',' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}'
            )
    };
    let fits = text
        .chars()
        .all(|letter| letter.is_ascii_digit() || is_mark(letter));
    fits.then(|| text.chars().filter(char::is_ascii_digit).collect())
}
