//! Names of kinds and fields.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use kjerne_values::ParseError;

/// The name of a kind or a field: `account`, `closing_date`, or with its owner in front
/// `acme:policy`. Small letters, digits and underscores, beginning with a letter, at most 64 bytes.
///
/// Cloning is cheap: the text is shared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The longest name, in bytes; index keys carry names, so they stay short.
    pub const MAX_BYTES: usize = 64;

    /// Checks and takes a name.
    ///
    /// # Errors
    /// When the text is not a name as described on the type.
    pub fn new(text: &str) -> Result<Self, ParseError> {
        let part = |p: &str| {
            p.starts_with(|c: char| c.is_ascii_lowercase())
                && p.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let parts: Vec<&str> = text.split(':').collect();
        if text.len() <= Self::MAX_BYTES && parts.len() <= 2 && parts.iter().all(|p| part(p)) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(ParseError::new(
                "a name of small letters, digits and '_' that begins with a letter",
                text,
            ))
        }
    }

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
