//! Who may change what.
//!
//! Every actor may do everything today. Rights by user, team and role are decided here and nowhere
//! else: before anything of the commit is applied, so that a refusal tells nothing of the records.

use kjerne_model::{Actor, Refusal};

use crate::resolve::Resolved;

/// The changes the actor may not make.
pub(crate) fn refusals(_actor: &Actor, _resolved: &Resolved) -> Vec<Refusal> {
    Vec::new()
}
