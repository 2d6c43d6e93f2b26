//! The host's side of the contract's resources: what a guest holds a handle to.

/// The host's side of the resource of that name. There is one per call and it lives in
/// the call's state, so the handle carries nothing.
pub enum CallContext {}
/// See [`CallContext`].
pub enum Edits {}
/// See [`CallContext`].
pub enum Findings {}
/// See [`CallContext`].
pub enum Proposals {}

/// A query under preparation.
pub struct QueryDraft {
    /// The kind asked for.
    pub kind: String,
    /// The conditions, all of which must hold.
    pub filters: Vec<String>,
    /// The bytes of all conditions.
    pub filter_bytes: u64,
    /// What is kept for it, about.
    pub kept: u64,
    /// How many records.
    pub limit: u32,
    /// The cursor to go on from.
    pub after: Option<String>,
}
