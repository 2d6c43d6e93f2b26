//! The words of a manifest: what a name may be made of, and what is said of one that is not.

use crate::error::PackageError;
use crate::limits;

/// A manifest that cannot be taken.
pub fn wrong(why: &str) -> PackageError {
    PackageError::BadManifest(why.to_owned())
}

/// Checks a name of small letters, digits and `-`.
pub fn check_word(what: &str, text: &str) -> Result<(), PackageError> {
    if fits(text) && is_word(text) {
        return Ok(());
    }
    Err(wrong(&format!(
        "{what} is called {text:?}; use small letters, digits and '-'"
    )))
}

/// Checks the name of a parameter or column, in which `_` may stand as well.
pub fn check_field(what: &str, text: &str) -> Result<(), PackageError> {
    if fits(text) && is_word(&text.replace('_', "-")) {
        return Ok(());
    }
    Err(wrong(&format!(
        "{what} is called {text:?}; use small letters, digits, '-' and '_'"
    )))
}

/// Whether a name is short enough.
pub fn fits(name: &str) -> bool {
    name.len() <= limits::PLUGIN_NAME.count()
}

/// Whether a text consists of small letters, digits and `-`, and begins with a letter.
pub fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The first name that stands twice in a list.
pub fn twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = names;
    names.find(|name| !seen.insert(*name))
}
