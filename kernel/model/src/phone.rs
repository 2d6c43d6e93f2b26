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

/// Which rule a text breaks that holds more than one number, whatever stands between them. A number that a
/// stored record has holds by [`is_phone`]; this is for what is written anew.
pub(crate) fn several(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let mut pieces = vec![lower.as_str()];
    for between in BETWEEN {
        pieces = pieces.iter().flat_map(|one| one.split(between)).collect();
    }
    let numbers = pieces.iter().filter(|piece| is_whole(piece)).count();
    if numbers > 1 {
        return Some("holds more than one phone number; keep one");
    }
    let digits = parts(text)?.digits;
    let most = if digits.starts_with('0') { 18 } else { 15 };
    (digits.len() > most).then_some(
        "has more digits than a phone number, of which there are at most 15; is it two numbers?",
    )
}

/// Which rule a text breaks that looks like a number and is something else. As [`several`], for what is written
/// anew.
pub(crate) fn something_else(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let lower = text.to_lowercase();
    let number = lower.strip_prefix("tel:").unwrap_or(&lower).trim_start();
    if is_date(number) {
        return Some("is a date and no phone number");
    }
    if is_amount(number) {
        return Some("is a number with decimals or groups of thousands and no phone number");
    }
    if is_network_address(number) {
        return Some("is a network address and no phone number");
    }
    let first = number.chars().next()?;
    if !first.is_ascii_digit() && !"+(".contains(first) {
        return Some("begins with a mark and not with a phone number; take the mark off");
    }
    let abroad = number.strip_prefix('+')?;
    let first = abroad.chars().find(char::is_ascii_digit);
    (first == Some('0') && !abroad.trim_start().starts_with("(0)"))
        .then_some("has a zero behind the +, where the number of a country stands")
}

/// `4722334455.0`, as spreadsheets write numbers, `99,99`, or `1,234,567`.
fn is_amount(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole_and_rest = text.rsplit_once(['.', ',']);
    let is_decimal = |(whole, rest): (&str, &str)| {
        let whole = whole.strip_prefix('+').unwrap_or(whole);
        let (first, others) = whole.split_once(',').unwrap_or((whole, ""));
        let groups = others
            .split(',')
            .all(|group| group.len() == 3 && digits(group));
        digits(first) && (others.is_empty() || groups) && digits(rest) && rest.len() <= 2
    };
    let is_grouped = || {
        let mut groups = text.split(',');
        let first = groups.next().unwrap_or_default();
        let mut rest = groups.peekable();
        let some = rest.peek().is_some();
        digits(first)
            && first.len() <= 3
            && some
            && rest.all(|group| group.len() == 3 && digits(group))
    };
    whole_and_rest.is_some_and(is_decimal) || is_grouped()
}

/// `2026-01-31`, `31.01.2026` or `1/2/2026`, of this century or the one before.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '.', '/']).collect();
    let [a, b, c] = parts.as_slice() else {
        return false;
    };
    let within = |part: &str, first: u32, last: u32| {
        part.len() <= 4 && part.parse().is_ok_and(|n: u32| (first..=last).contains(&n))
    };
    let is_year = |part: &str| part.len() == 4 && within(part, 1900, 2099);
    let short = |part: &str, most: u32| part.len() <= 2 && within(part, 1, most);
    let is_day = |a: &str, b: &str| short(a, 31) && short(b, 12) || short(a, 12) && short(b, 31);
    is_year(a) && is_day(c, b) || is_year(c) && is_day(a, b)
}

/// Four numbers up to 255. Where each has two digits, or three at the front, it may be a phone number as well.
fn is_network_address(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok_and(|address| {
        let is_short = text.split('.').any(|part| part.len() == 1);
        is_short || address.is_private() && address.octets()[0] == 192
    })
}

/// What people write between two numbers. Some of it stands within one as well: `030/1234567`.
const BETWEEN: [&str; 14] = [
    "/", ",", ";", "|", "&", "\n", "\r", "\t", " or ", " and ", " og ", " eller ", " oder ", " +",
];

/// True for what is a number for itself and no area's code: at least 7 digits, and 8 with the country.
fn is_whole(piece: &str) -> bool {
    parts(piece).is_some_and(|parts| parts.digits.len() >= 7 + usize::from(parts.international))
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
    let number = number.trim_start();
    let (plus, number) = match number.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let digits = digits_between_marks(number)?;
    if !plus && !digits.starts_with("00") {
        return Some(Parts {
            international: false,
            digits,
            extension,
        });
    }
    // The zero in brackets is dialled within the country only.
    let digits = digits_between_marks(&number.replacen("(0)", "", 1))?;
    let digits = match plus {
        true => digits,
        false => digits.strip_prefix("00").unwrap_or(&digits).to_owned(),
    };
    Some(Parts {
        international: true,
        digits,
        extension,
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
