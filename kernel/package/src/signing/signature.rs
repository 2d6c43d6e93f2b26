//! A signature of a file, and what its trusted comment says.

use std::io::Cursor;

use super::error::SignatureError;
use super::key::{PublicKey, SecretKey, SecretKeyError, id_of};
use crate::file::Package;
use crate::limits;

/// What our trusted comments begin with, so that they are told from those of other tools.
const OURS: &str = "kjerne ";

/// A signature that was read, and not verified yet.
#[derive(Clone)]
pub struct Signature {
    inner: minisign::SignatureBox,
    comment: String,
}

/// What a trusted comment of ours says; one of another tool says nothing of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Claims {
    /// The plugin.
    pub plugin: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its publisher.
    pub publisher: Option<String>,
    /// The BLAKE3 hash of the file, in hexadecimal digits.
    pub blake3: Option<String>,
    /// The public key it was made with.
    pub key: Option<String>,
    /// The public key that comes after it, in a statement of succession.
    pub successor: Option<String>,
}

impl Claims {
    /// Reads a trusted comment.
    #[must_use]
    pub fn read(comment: &str) -> Self {
        let mut claims = Self::default();
        let Some(words) = comment.strip_prefix(OURS) else {
            return claims;
        };
        for word in words.split(' ') {
            let Some((name, value)) = word.split_once(':') else {
                continue;
            };
            let value = Some(value.to_owned());
            match name {
                "plugin" => claims.plugin = value,
                "version" => claims.version = value,
                "publisher" => claims.publisher = value,
                "blake3" => claims.blake3 = value,
                "key" => claims.key = value,
                "successor" => claims.successor = value,
                // A later version may say more.
                _ => {}
            }
        }
        claims
    }

    /// Writes it; the words in this order, without those that say nothing.
    fn write(&self) -> String {
        let words = [
            ("plugin", &self.plugin),
            ("version", &self.version),
            ("publisher", &self.publisher),
            ("blake3", &self.blake3),
            ("successor", &self.successor),
            ("key", &self.key),
        ];
        let said = words.iter().filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(format!("{name}:{value}"))
        });
        format!("{OURS}{}", said.collect::<Vec<_>>().join(" "))
    }
}

impl Signature {
    /// Reads the file of a signature.
    ///
    /// # Errors
    /// When it is none, is cut off, or was made in a way that is not taken.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        if text.len() as u64 > limits::SIGNATURE.value {
            return Err(SignatureError::TooLong("signature"));
        }
        let lines: Vec<&str> = text.lines().collect();
        let [head, signature, comment, global, rest @ ..] = lines.as_slice() else {
            return Err(SignatureError::Truncated);
        };
        if !rest.iter().all(|line| line.trim().is_empty()) {
            return Err(form("something stands behind its four lines"));
        }
        if !head.starts_with("untrusted comment: ") {
            return Err(form("its first line is no untrusted comment"));
        }
        let comment = comment
            .strip_prefix("trusted comment: ")
            .ok_or_else(|| form("its third line is no trusted comment"))?;
        check_signature(&decoded(signature, 74)?)?;
        decoded(global, 64)?;
        let inner = minisign::SignatureBox::from_string(text);
        Ok(Self {
            inner: inner.map_err(|error| form(&error.to_string()))?,
            comment: comment.trim().to_owned(),
        })
    }

    /// The id of the key it was made with.
    #[must_use]
    pub fn key_id(&self) -> String {
        id_of(self.inner.keynum())
    }

    /// What its trusted comment says; to be believed when it is verified.
    #[must_use]
    pub fn claims(&self) -> Claims {
        Claims::read(&self.comment)
    }

    /// The trusted comment.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Verifies it: that this key signed these bytes, and the trusted comment, which names no other.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, key: &PublicKey, bytes: &[u8]) -> Result<(), SignatureError> {
        if self.key_id() != key.id() {
            return Err(SignatureError::OtherKey {
                made_with: self.key_id(),
                at_hand: key.id(),
            });
        }
        let verified =
            minisign::verify(&key.0, &self.inner, Cursor::new(bytes), true, false, false);
        verified.map_err(|error| {
            // The crate tells the two apart by their sentence alone.
            if error.to_string().starts_with("Comment") {
                SignatureError::CommentChanged
            } else {
                SignatureError::OtherFile
            }
        })?;
        self.check_claimed_key(key)
    }

    /// A comment that names another key than the one that signed would have that one taken for its maker.
    fn check_claimed_key(&self, key: &PublicKey) -> Result<(), SignatureError> {
        match self.claims().key {
            Some(said) if PublicKey::parse(&said).as_ref() != Ok(key) => {
                Err(SignatureError::KeyNamed {
                    said,
                    found: key.text(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Checks that a verified comment of ours says of the file what the file says of itself.
    ///
    /// # Errors
    /// At the first thing in which they differ.
    pub fn agrees(&self, package: &Package) -> Result<(), SignatureError> {
        let claims = self.claims();
        let manifest = &package.manifest;
        let hash = blake3::Hash::from_bytes(package.digest).to_hex();
        let publisher = manifest.publisher.as_deref().unwrap_or_default();
        for (what, said, found) in [
            ("the plugin", &claims.plugin, manifest.id.as_str()),
            ("the version", &claims.version, &manifest.version),
            ("the publisher", &claims.publisher, publisher),
            ("the hash", &claims.blake3, hash.as_str()),
        ] {
            if let Some(said) = said.as_ref().filter(|said| *said != found) {
                return Err(SignatureError::Contradicts {
                    what,
                    said: said.clone(),
                    found: found.to_owned(),
                });
            }
        }
        Ok(())
    }
}

fn form(why: &str) -> SignatureError {
    SignatureError::Form {
        what: "signature",
        why: why.to_owned(),
    }
}

/// A line of so many bytes in base64.
fn decoded(line: &str, bytes: usize) -> Result<Vec<u8>, SignatureError> {
    use base64::Engine as _;
    let read = base64::engine::general_purpose::STANDARD.decode(line.trim());
    match read {
        Ok(read) if read.len() == bytes => Ok(read),
        Ok(read) if read.len() < bytes => Err(SignatureError::Truncated),
        _ => Err(form("a line of it is not base64 of the right length")),
    }
}

/// How the signature was made stands in its first two bytes.
fn check_signature(bytes: &[u8]) -> Result<(), SignatureError> {
    match &bytes[..2] {
        b"ED" => Ok(()),
        b"Ed" => Err(SignatureError::Legacy),
        other => {
            let found = String::from_utf8_lossy(other).into_owned();
            Err(SignatureError::OtherAlgorithm(found))
        }
    }
}

/// Signs a plugin's file; the text of its signature.
///
/// # Errors
/// When the key is damaged.
pub fn sign(key: &SecretKey, package: &Package) -> Result<String, SecretKeyError> {
    let manifest = &package.manifest;
    let claims = Claims {
        plugin: Some(manifest.id.clone()),
        version: Some(manifest.version.clone()),
        publisher: manifest.publisher.clone(),
        blake3: Some(blake3::Hash::from_bytes(package.digest).to_string()),
        key: Some(key.public()?.text()),
        successor: None,
    };
    sign_bytes(key, package.bytes(), &claims)
}

/// Signs bytes, with these words in the trusted comment.
pub(super) fn sign_bytes(
    key: &SecretKey,
    bytes: &[u8],
    claims: &Claims,
) -> Result<String, SecretKeyError> {
    let public = key.public()?;
    let untrusted = format!("signature from kjerne, key {}", public.id());
    let signed = minisign::sign(
        Some(&public.0),
        &key.0,
        Cursor::new(bytes),
        Some(&claims.write()),
        Some(&untrusted),
    );
    let signed = signed.map_err(|_| SecretKeyError::Failed("signing"))?;
    Ok(signed.into_string())
}
