//! Keys: the public one, which a workspace pins, and the secret one, which only its publisher has.

use std::fmt;

use super::error::SignatureError;
use crate::limits;

/// A public key.
#[derive(Clone)]
pub struct PublicKey(pub(super) minisign::PublicKey);

/// What stands in front of the key in its file.
const COMMENT: &str = "untrusted comment: ";

impl PublicKey {
    /// Reads a key: the one line of it, or its file.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let wrong = |why: &str| SignatureError::Form {
            what: "public key",
            why: why.to_owned(),
        };
        if text.len() as u64 > limits::SIGNATURE.value {
            return Err(SignatureError::TooLong("public key"));
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines.find(|line| !line.starts_with(COMMENT.trim_end()));
        let line = line.ok_or_else(|| wrong("there is no line with a key"))?;
        let read = minisign::PublicKey::from_base64(line);
        let key = read.map_err(|_| {
            wrong("a key is 56 letters and digits that begin with RW, such as minisign prints")
        })?;
        if key.to_bytes().get(..2) != Some(b"Ed") || key.to_base64() != line {
            return Err(wrong("it is no key of Ed25519"));
        }
        Ok(Self(key))
    }

    /// The key in one line.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_base64()
    }

    /// The file of the key, as minisign writes it. It follows from the key alone, so that an old key can
    /// sign it without it being sent along.
    #[must_use]
    pub fn file(&self) -> String {
        format!(
            "{COMMENT}minisign public key {}\n{}\n",
            self.id(),
            self.text()
        )
    }

    /// The id by which a signature names its key. Anybody can make a key of the same id: it finds a key and
    /// proves nothing.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(self.0.keynum())
    }

    /// A hash over the whole key, for people to compare: eight groups of four.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = blake3::hash(&self.0.to_bytes()).to_hex();
        let groups: Vec<&str> = (0..8)
            .map(|group| &hash[4 * group..4 * group + 4])
            .collect();
        groups.join(" ")
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bytes() == other.0.to_bytes()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// The id of a key as tools for the format write it.
pub(super) fn id_of(bytes: &[u8]) -> String {
    bytes
        .iter()
        .rev()
        .map(|byte| format!("{byte:02X}"))
        .collect()
}

/// A secret key. It is never shown, in no error and to no debugger.
pub struct SecretKey(pub(super) minisign::SecretKey);

/// Why a secret key cannot be used. No message holds anything of the key or its password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretKeyError {
    /// The text is no secret key of the format.
    Form,
    /// It is kept under a password, and none was given.
    NeedsPassword,
    /// The password is another.
    WrongPassword,
    /// The password is longer than other tools take, or empty.
    PasswordLength,
    /// There is no chance to be had from the system, or the key cannot be used for its work.
    Failed(&'static str),
}

impl fmt::Display for SecretKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str(
                "this is no secret key in minisign's format; give the file that kjerne plugin keygen or \
                 minisign wrote",
            ),
            Self::NeedsPassword => {
                f.write_str(
                    "the key is kept under a password, and none was given; type it, or give it as a line \
                     of standard input",
                )
            }
            Self::WrongPassword => f.write_str("the password is not the one of this key"),
            Self::PasswordLength => write!(
                f,
                "a password has at least 1 and at most {} bytes; for a key without one say --no-password",
                limits::KEY_PASSWORD.value
            ),
            Self::Failed(what) => write!(f, "{what} failed"),
        }
    }
}

impl std::error::Error for SecretKeyError {}

impl SecretKey {
    /// Whether a file of a key is kept under a password.
    ///
    /// # Errors
    /// When it is no secret key.
    pub fn has_password(file: &str) -> Result<bool, SecretKeyError> {
        match bytes_of(file)?.get(2..4) {
            Some([0, 0]) => Ok(false),
            Some(b"Sc") => Ok(true),
            _ => Err(SecretKeyError::Form),
        }
    }

    /// Reads the file of a key.
    ///
    /// # Errors
    /// When it is none, or the password is not its own.
    pub fn read(file: &str, password: Option<&str>) -> Result<Self, SecretKeyError> {
        if !Self::has_password(file)? {
            return Self::without_password(file);
        }
        let password = password.filter(|password| !password.is_empty());
        let password = password.ok_or(SecretKeyError::NeedsPassword)?;
        // No key is kept under one that is longer, and a long one is not worked through.
        check_password(password).map_err(|_| SecretKeyError::WrongPassword)?;
        let text = minisign::SecretKeyBox::from_string(file).map_err(|_| SecretKeyError::Form)?;
        let key = text.into_secret_key(Some(password.to_owned()));
        key.map(Self).map_err(|_| SecretKeyError::WrongPassword)
    }

    /// The program minisign writes no checksum into a key without a password, and the crate demands one.
    /// Such a key is taken as it stands: a damaged one signs nothing, since each signature is verified
    /// when it is made.
    fn without_password(file: &str) -> Result<Self, SecretKeyError> {
        let bytes = bytes_of(file)?;
        let key = if bytes.ends_with(&[0; CHECKSUM]) {
            minisign::SecretKey::from_bytes(&bytes)
        } else {
            let text = minisign::SecretKeyBox::from_string(file);
            text.and_then(minisign::SecretKeyBox::into_unencrypted_secret_key)
        };
        key.map(Self).map_err(|_| SecretKeyError::Form)
    }

    /// Its public key.
    ///
    /// # Errors
    /// When the key is damaged.
    pub fn public(&self) -> Result<PublicKey, SecretKeyError> {
        let public = minisign::PublicKey::from_secret_key(&self.0);
        public.map(PublicKey).map_err(|_| SecretKeyError::Form)
    }
}

/// Bytes of the checksum at the end of a secret key.
const CHECKSUM: usize = 32;
/// Bytes of a secret key with all that stands beside it.
const SECRET_KEY: usize = 158;

/// The bytes of a secret key's file, which are not looked into yet.
fn bytes_of(file: &str) -> Result<Vec<u8>, SecretKeyError> {
    use base64::Engine as _;
    if file.len() as u64 > limits::SIGNATURE.value {
        return Err(SecretKeyError::Form);
    }
    let line = file.lines().nth(1).ok_or(SecretKeyError::Form)?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(line.trim());
    let bytes = bytes.ok().filter(|bytes| bytes.len() == SECRET_KEY);
    bytes.ok_or(SecretKeyError::Form)
}

fn check_password(password: &str) -> Result<(), SecretKeyError> {
    match password.len() as u64 {
        0 => Err(SecretKeyError::PasswordLength),
        length if length > limits::KEY_PASSWORD.value => Err(SecretKeyError::PasswordLength),
        _ => Ok(()),
    }
}

/// Makes a pair of keys: the public one, and the text of the secret one's file.
///
/// # Errors
/// When the password is none, or the system gives no chance.
pub fn key_pair(password: Option<&str>) -> Result<(PublicKey, String), SecretKeyError> {
    let failed = |_| SecretKeyError::Failed("making a key");
    let pair = match password {
        None => minisign::KeyPair::generate_unencrypted_keypair(),
        Some(password) => {
            check_password(password)?;
            minisign::KeyPair::generate_encrypted_keypair(Some(password.to_owned()))
        }
    }
    .map_err(failed)?;
    let public = PublicKey(pair.pk);
    let comment = format!("kjerne secret key {}", public.id());
    let secret = pair.sk.to_box(Some(&comment)).map_err(failed)?;
    Ok((public, secret.into_string()))
}
