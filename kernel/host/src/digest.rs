//! Names for what is made of several things: a hash over all of them.

use kjerne_model::Schema;

/// A hash over all that a plugin can find out about the kinds of a workspace.
pub fn of_kinds(schema: &Schema) -> [u8; 32] {
    digest(&[b"kinds", format!("{schema:?}").as_bytes()])
}

/// A hash over parts, each with its length in front, so that no two lists of parts have the same.
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher
            .update(&(part.len() as u64).to_le_bytes())
            .update(part);
    }
    *hasher.finalize().as_bytes()
}
