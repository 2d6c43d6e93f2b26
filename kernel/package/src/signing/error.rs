//! Why a signature, a key or a statement of succession is not taken: one sentence for each way.

use std::fmt;

use crate::limits;

/// Why a signature, a key or a statement is not taken. Every message says what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignatureError {
    /// The text is longer than any.
    TooLong(&'static str),
    /// The text is not in minisign's format.
    Form {
        /// What was read: a signature, a public key.
        what: &'static str,
        /// Where it departs from the format.
        why: String,
    },
    /// It ends before its four lines are there.
    Truncated,
    /// It was made over the file itself and not over its hash, as old tools do.
    Legacy,
    /// It was made with something else than Ed25519.
    OtherAlgorithm(String),
    /// It was made with another key than the one at hand.
    OtherKey {
        /// The id of the key it was made with.
        made_with: String,
        /// The id of the key at hand.
        at_hand: String,
    },
    /// The file is another than the one that was signed, or the signature is none of this key.
    OtherFile,
    /// The trusted comment is another than the one that was signed.
    CommentChanged,
    /// The trusted comment says something else than the file.
    Contradicts {
        /// What of it.
        what: &'static str,
        /// What the comment says.
        said: String,
        /// What the file says.
        found: String,
    },
    /// The trusted comment names another key than the one that signed.
    KeyNamed {
        /// The key the comment names.
        said: String,
        /// The key that signed.
        found: String,
    },
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(what) => write!(
                f,
                "the {what} passes its limit {} of {} bytes; give the file that kjerne plugin sign or \
                 minisign wrote",
                limits::SIGNATURE.name,
                limits::SIGNATURE.value
            ),
            Self::Form { what, why } => write!(
                f,
                "the {what} is not in minisign's format: {why}; give the file as it was written"
            ),
            Self::Truncated => f.write_str(
                "the signature is cut off: it has four lines, and some are not there; fetch it again",
            ),
            Self::Legacy => f.write_str(
                "the signature is in the old form, over the whole file (Ed); sign it again with kjerne \
                 plugin sign, or with minisign 0.10 or later, which sign the file's hash (ED)",
            ),
            Self::OtherAlgorithm(found) => write!(
                f,
                "the signature was made with the algorithm {found:?}, and only ED is taken; sign the file \
                 again with kjerne plugin sign"
            ),
            Self::OtherKey { made_with, at_hand } => write!(
                f,
                "the signature was made with the key {made_with}, and the key at hand is {at_hand}; give \
                 the publisher's present public key, or have the file signed with the key at hand"
            ),
            Self::OtherFile => f.write_str(
                "the signature does not belong to this file: the file was changed after it was signed, or \
                 another one was; fetch both again from the same place",
            ),
            Self::CommentChanged => f.write_str(
                "the trusted comment of the signature was changed after it was signed; fetch it again",
            ),
            Self::Contradicts { what, said, found } => write!(
                f,
                "the signature is for {what} {said}, and the file has {found}; sign the file again"
            ),
            Self::KeyNamed { said, found } => write!(
                f,
                "the trusted comment of the signature names the key {said:?}, and {found} signed it; have \
                 the file signed again, with kjerne plugin sign"
            ),
        }
    }
}

impl std::error::Error for SignatureError {}
