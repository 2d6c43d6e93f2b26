//! How a publisher comes to another key: the old one signs the file of the new public key.
//!
//! The statement is an ordinary signature of minisign's format over that file, so that other tools verify it
//! too (`minisign -Vm new.pub -x new.pub.minisig -P OLD`). The file follows from the key, and the key stands
//! in the trusted comment, so that the statement travels alone.

use super::error::SignatureError;
use super::key::{PublicKey, SecretKey, SecretKeyError};
use super::signature::{Claims, Signature, sign_bytes};

/// A statement that was read, and not verified yet.
pub struct Succession {
    signature: Signature,
    successor: PublicKey,
}

impl Succession {
    /// Reads a statement.
    ///
    /// # Errors
    /// When it is no signature, or names no successor.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let signature = Signature::parse(text)?;
        let named = signature.claims().successor;
        let named = named.ok_or_else(|| SignatureError::Form {
            what: "statement of succession",
            why: "its trusted comment names no successor".to_owned(),
        })?;
        Ok(Self {
            successor: PublicKey::parse(&named)?,
            signature,
        })
    }

    /// The key that comes after the old one.
    #[must_use]
    pub fn successor(&self) -> &PublicKey {
        &self.successor
    }

    /// Verifies that the old key signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, old: &PublicKey) -> Result<(), SignatureError> {
        let file = self.successor.file();
        self.signature.verify(old, file.as_bytes())
    }
}

/// States that another key comes after this one; the text of the statement.
///
/// # Errors
/// When the key is damaged.
pub fn succeed(old: &SecretKey, new: &PublicKey) -> Result<String, SecretKeyError> {
    let claims = Claims {
        successor: Some(new.text()),
        key: Some(old.public()?.text()),
        ..Claims::default()
    };
    sign_bytes(old, new.file().as_bytes(), &claims)
}
