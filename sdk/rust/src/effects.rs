//! What a reaction, an action or a domain model wants done.

use crate::contract::{Failure, Field, OutboundMessage, RecordRef};
use crate::fields::Fields;
use crate::host;

/// What a plugin wants done. Nothing happens until the call has returned; then the proposals become
/// one commit, which meets every check and guard like any other, and the messages are queued in the
/// same transaction.
pub type Effects = dyn EffectHandle;

/// Leads to whatever takes what a plugin wants done: the host inside a call, a collector from
/// [`testing`](crate::testing) in a plugin's own tests.
pub trait EffectHandle {
    #[doc(hidden)]
    fn sink(&self) -> &host::Effects;
}

impl EffectHandle for host::Effects {
    fn sink(&self) -> &host::Effects {
        self
    }
}

impl dyn EffectHandle {
    /// Proposes a new record and returns the reference it will have, so that later proposals can
    /// point to it.
    ///
    /// # Errors
    /// `not-granted`, `unknown-kind`, `wrong-type`, `output-limit`.
    pub fn create(&self, kind: &str, fields: impl Into<Fields>) -> Result<RecordRef, Failure> {
        let fields: Vec<Field> = fields.into().into();
        Ok(RecordRef::new(kind, self.sink().create(kind, &fields)?))
    }

    /// Proposes to set or clear fields of a record. `expected` is the version the plugin has read:
    /// with it, the commit is refused if the record has changed since.
    ///
    /// # Errors
    /// `not-granted`, `unknown-kind`, `wrong-type`, `output-limit`.
    pub fn update(
        &self,
        target: &RecordRef,
        expected: Option<u64>,
        fields: impl Into<Fields>,
    ) -> Result<(), Failure> {
        let fields: Vec<Field> = fields.into().into();
        self.sink().update(target, expected, &fields)
    }

    /// Proposes to remove a record; `expected` as for `update`.
    ///
    /// # Errors
    /// `not-granted`, `unknown-kind`, `output-limit`.
    pub fn remove(&self, target: &RecordRef, expected: Option<u64>) -> Result<(), Failure> {
        self.sink().remove(target, expected)
    }

    /// Names the commit: a second commit with the same key by this plugin does nothing. What must
    /// happen exactly once is named after what it is.
    pub fn key(&self, key: impl AsRef<str>) {
        self.sink().key(key.as_ref());
    }

    /// Queues a message.
    ///
    /// # Errors
    /// `not-granted` when the plugin may not send to the destination; `output-limit`.
    #[expect(clippy::needless_pass_by_value, reason = "reads better at every call")]
    pub fn send(&self, message: OutboundMessage) -> Result<(), Failure> {
        self.sink().send(&message)
    }
}
