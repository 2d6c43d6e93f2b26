//! What can go wrong around the kernel, by what the person can do about it. The command line makes
//! exit codes of these, HTTP makes statuses.

use std::{fmt, io};

use kjerne_core::QueryError;
use kjerne_host::{HostError, LoadError};
use kjerne_model::filter::FilterError;
use kjerne_model::{ParseError, Refusal, SchemaError};
use kjerne_store::StoreError;

/// Something that was not done, and why.
#[derive(Debug)]
pub enum Error {
    /// Something given cannot be read: a word, a filter, a value, a settings file.
    Unreadable(String),
    /// Something named is not there.
    NotFound(String),
    /// Something was refused that is no commit, such as a plugin's file.
    Refused(String),
    /// The kernel refused a commit, with every reason.
    Commit(Vec<Refusal>),
    /// Storage failed.
    Store(StoreError),
    /// The operating system failed.
    Io(io::Error),
    /// Something else failed, through no fault of whoever asked.
    Failed(String),
    /// An error on the way through something larger.
    During {
        /// What was being done, and what of it stays.
        doing: String,
        /// What went wrong.
        source: Box<Error>,
    },
}

/// What most functions around the kernel return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Something given cannot be read.
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self::Unreadable(message.into())
    }

    /// Something named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound(message.into())
    }

    /// Something was refused that is no commit.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
    }

    /// Something failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// The same error, told with what was being done.
    #[must_use]
    pub fn during(self, doing: impl Into<String>) -> Self {
        Self::During {
            doing: doing.into(),
            source: Box::new(self),
        }
    }

    /// What went wrong in the first place.
    #[must_use]
    pub fn root(&self) -> &Self {
        match self {
            Self::During { source, .. } => source.root(),
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(message)
            | Self::NotFound(message)
            | Self::Refused(message)
            | Self::Failed(message) => f.write_str(message),
            Self::Commit(refusals) => write_refusals(f, refusals),
            Self::Store(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::During { doing, source } => write!(f, "{doing}: {source}"),
        }
    }
}

fn write_refusals(f: &mut fmt::Formatter<'_>, refusals: &[Refusal]) -> fmt::Result {
    f.write_str("refused")?;
    for refusal in refusals {
        write!(f, "\n  - {refusal}")?;
        match (&refusal.plugin, &refusal.reason) {
            (Some(plugin), Some(reason)) => write!(f, " [{plugin}: {reason}]")?,
            (Some(plugin), None) => write!(f, " [{plugin}]")?,
            _ => write!(f, " [{}]", refusal.code.name())?,
        }
    }
    Ok(())
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<toml::de::Error> for Error {
    fn from(error: toml::de::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<SchemaError> for Error {
    fn from(error: SchemaError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<getrandom::Error> for Error {
    fn from(error: getrandom::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::BadSettings(why) => Self::Unreadable(why),
            error => Self::Refused(error.to_string()),
        }
    }
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Vec<Refusal>> for Error {
    fn from(refusals: Vec<Refusal>) -> Self {
        Self::Commit(refusals)
    }
}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Wrong(why) => Self::Unreadable(why),
            QueryError::Store(error) => Self::Store(error),
        }
    }
}

/// Adds what was being done to an error on its way up. An absent value is something that was given
/// and cannot be read.
pub trait Context<T> {
    /// With a sentence that is at hand.
    ///
    /// # Errors
    /// The error there was, told with the sentence.
    fn context(self, doing: &str) -> Result<T>;

    /// With a sentence that is made when it is needed.
    ///
    /// # Errors
    /// The error there was, told with the sentence.
    fn with_context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, doing: &str) -> Result<T> {
        self.map_err(|error| error.into().during(doing))
    }

    fn with_context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.into().during(doing()))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, doing: &str) -> Result<T> {
        self.ok_or_else(|| Error::unreadable(doing))
    }

    fn with_context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.ok_or_else(|| Error::unreadable(doing()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kjerne_model::Code;

    #[test]
    fn a_refusal_names_the_plugin_and_its_reason() {
        let refusal =
            Refusal::new(Code::Guard, "fill in the amount").by("sales-stages", "missing-amount");
        let text = Error::from(vec![refusal]).to_string();
        assert_eq!(
            text,
            "refused\n  - fill in the amount [sales-stages: missing-amount]"
        );
    }

    #[test]
    fn what_was_being_done_stands_before_what_went_wrong() {
        let error = Error::not_found("no file a.csv").during("the import stopped");
        assert_eq!(error.to_string(), "the import stopped: no file a.csv");
        assert!(matches!(error.root(), Error::NotFound(_)));
    }
}
