//! Reads amounts of money. A sign or code beside the number is never dropped: it names the currency,
//! or agrees with the one that the row or the mapping names, or the row is refused.

use kjerne_model::{Currency, Money, trim};

use super::forms::Forms;
use super::numbers::{read_decimal, read_plain};

/// Signs that mean one currency where nobody says another, and all currencies that write them, also those that
/// are withdrawn: the first is the one that is meant, the others where the row or the mapping names them.
const SIGNS: [(&str, &[&str]); 28] = [
    ("€", &["EUR"]),
    (
        "£",
        &[
            "GBP", "EGP", "FKP", "GIP", "LBP", "SDG", "SHP", "SSP", "SYP", "CYP", "IEP", "ITL",
            "MTL", "SDD", "TRL", "TRY",
        ],
    ),
    ("₹", &["INR"]),
    ("₩", &["KRW", "KPW"]),
    ("₽", &["RUB", "RUR"]),
    ("₺", &["TRY", "TRL"]),
    ("₴", &["UAH"]),
    ("₪", &["ILS"]),
    ("₫", &["VND"]),
    ("₱", &["PHP", "CUC", "CUP"]),
    ("₸", &["KZT"]),
    ("₦", &["NGN"]),
    ("₡", &["CRC", "SVC"]),
    ("₲", &["PYG"]),
    ("₾", &["GEL"]),
    ("₼", &["AZN", "AZM"]),
    ("฿", &["THB"]),
    ("zł", &["PLN"]),
    ("kč", &["CZK"]),
    ("us$", &["USD", "USN"]),
    ("a$", &["AUD"]),
    ("ca$", &["CAD"]),
    ("nz$", &["NZD"]),
    ("hk$", &["HKD"]),
    ("s$", &["SGD"]),
    ("r$", &["BRL"]),
    ("nt$", &["TWD"]),
    ("mx$", &["MXN"]),
];

/// Signs that several currencies share; such a sign names none, and has to agree.
const SHARED: [(&str, &[&str]); 5] = [
    (
        "$",
        &[
            "USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU",
            "BSD", "BBD", "BZD", "BMD", "BND", "FJD", "GYD", "JMD", "KYD", "LRD", "NAD", "SBD",
            "SRD", "TTD", "XCD", "DOP", "CUP",
        ],
    ),
    ("kr", &["NOK", "SEK", "DKK", "ISK"]),
    ("kr.", &["NOK", "SEK", "DKK", "ISK"]),
    ("¥", &["JPY", "CNY"]),
    ("rs", &["INR", "PKR", "LKR", "NPR", "MUR", "SCR"]),
];

/// Reads `1250.50 NOK`, `NOK 1,250.50`, `€ 500`, or a number whose currency the row (`told`) or the
/// mapping tells.
pub fn read_money(text: &str, forms: &Forms, told: Option<&str>) -> Result<Money, String> {
    let (number, beside) = split(trim(text), forms);
    let told = told.filter(|code| !code.is_empty());
    let told = told.map(|code| Currency::new(&code.to_ascii_uppercase()));
    let told = told.transpose().map_err(|error| error.to_string())?;
    let mut marks = Marks::default();
    for word in beside.iter().flat_map(|text| text.split_whitespace()) {
        marks.take(word, told.or(forms.currency))?;
    }
    let currency = marks.currency(told, forms.currency)?;
    let money = match forms.scale {
        None => Money::read_major(&read_plain(&number, forms)?, currency),
        Some(_) => Money::from_major(read_decimal(&number, forms)?, currency),
    };
    money.map_err(|error| error.to_string())
}

/// The number with its signs, and what stands before and behind it.
fn split(text: &str, forms: &Forms) -> (String, [String; 2]) {
    let digit = |c: char| c.is_ascii_digit();
    let (Some(mut from), Some(last)) = (text.find(digit), text.rfind(digit)) else {
        return (text.to_owned(), Default::default());
    };
    // `.5` begins with its point; the point of `kr.5` belongs to the word.
    let point = if forms.decimal_comma { ',' } else { '.' };
    if let Some(before) = text[..from].strip_suffix(point)
        && !before.ends_with(char::is_alphabetic)
    {
        from = before.len();
    }
    let (before, core, behind) = (&text[..from], &text[from..=last], &text[last + 1..]);
    let is_sign = |c: &char| matches!(c, '-' | '+' | '\u{2212}' | '(' | ')');
    let signs = |text: &str| text.chars().filter(is_sign).collect::<String>();
    let words = |text: &str| text.chars().filter(|c| !is_sign(c)).collect::<String>();
    let number = format!("{}{core}{}", signs(before), signs(behind));
    (number, [words(before), words(behind)])
}

/// What a cell says of its currency.
#[derive(Default)]
struct Marks {
    named: Option<Currency>,
    /// All signs that several currencies share; the amount's has to be one of each.
    shared: Vec<(&'static str, &'static [&'static str])>,
}

impl Marks {
    /// Takes a word beside the number; `usual` is the currency that the amount would have without it.
    fn take(&mut self, word: &str, usual: Option<Currency>) -> Result<(), String> {
        let folded = word.to_lowercase();
        if let Some(shared) = SHARED.iter().find(|(sign, _)| *sign == folded) {
            self.shared.push(*shared);
            return Ok(());
        }
        let sign = SIGNS.iter().find(|(sign, _)| *sign == folded);
        if let (Some((sign, of)), Some(usual)) = (sign, usual)
            && of.contains(&usual.code())
        {
            self.shared.push((sign, of));
            return Ok(());
        }
        let code = sign.map_or(word, |(_, of)| of[0]);
        let named = Currency::new(code)
            .map_err(|_| format!("{word:?} beside the number is no currency that is known"))?;
        match self.named.replace(named) {
            Some(other) if other != named => {
                Err(format!("the amount is both of {other} and of {named}"))
            }
            _ => Ok(()),
        }
    }

    /// The currency of the amount: the one the cell names, which the row must not contradict, else
    /// that of the row, else that of the mapping; a shared sign has to be one of its signs.
    fn currency(
        &self,
        told: Option<Currency>,
        usual: Option<Currency>,
    ) -> Result<Currency, String> {
        let currency = match (self.named, told) {
            (Some(named), Some(told)) if named != told => {
                return Err(format!(
                    "the amount is of {named}, and the row says that its currency is {told}"
                ));
            }
            (Some(named), _) => named,
            (None, Some(told)) => told,
            (None, None) => {
                usual.ok_or("the amount names no currency, and neither does the mapping")?
            }
        };
        let code = currency.code();
        match self.shared.iter().find(|(_, of)| !of.contains(&code)) {
            Some((sign, of)) => Err(format!(
                "{sign:?} is no sign of {currency}; it may be {}",
                of.join(", ")
            )),
            None => Ok(currency),
        }
    }
}
