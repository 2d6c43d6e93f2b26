//! Signatures of plugins' files in minisign's format: what a publisher signs with a key of their own, and
//! what an installation verifies.
//!
//! The signature lies beside the file (`FILE.minisig`) and signs the hash of its bytes. Its trusted comment,
//! which is signed as well, says which plugin in which version it is, the file's BLAKE3 hash, and the public
//! key, so that a first installation has the key at hand; whether that key is to be believed is decided
//! where it is pinned. Any other tool for the format verifies these signatures, and theirs are taken.
//!
//! Everything compared here is public; what must be compared in constant time, a key's checksum, is in the
//! crate `minisign`.

mod error;
mod key;
mod signature;
mod succession;

pub use error::SignatureError;
pub use key::{PublicKey, SecretKey, SecretKeyError, key_pair};
pub use signature::{Claims, Signature, sign};
pub use succession::{Succession, succeed};

/// What the file of a signature is called: the signed file's name with this behind it.
pub const SUFFIX: &str = "minisig";

#[cfg(test)]
mod tests;
