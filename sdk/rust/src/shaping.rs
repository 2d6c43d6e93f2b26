//! What a shape sets and a guard finds.
//!
//! Both are handles: of the host's resource inside a call, of a collector from
//! [`testing`](crate::testing) in a plugin's own tests. The handle gives the resource away instead of
//! forwarding every method, so that a component imports the methods it uses and no others.

use crate::change::Change;
use crate::contract::{Failure, Value};
use crate::host;

/// What a shape wants set.
pub type Edits = dyn EditHandle;

/// What a guard finds.
pub type Findings = dyn FindingHandle;

/// A change of the call: the change itself, or its index.
pub trait Position {
    /// Its place among the changes of the call, counted from 0.
    fn index(&self) -> u32;
}

impl Position for u32 {
    fn index(&self) -> u32 {
        *self
    }
}

impl Position for Change {
    fn index(&self) -> u32 {
        self.index
    }
}

impl<P: Position> Position for &P {
    fn index(&self) -> u32 {
        (*self).index()
    }
}

/// Leads to whatever takes what a shape sets.
pub trait EditHandle {
    #[doc(hidden)]
    fn sink(&self) -> &host::Edits;
}

impl EditHandle for host::Edits {
    fn sink(&self) -> &host::Edits {
        self
    }
}

impl dyn EditHandle {
    /// Sets a field.
    ///
    /// # Panics
    /// When it may not be set, which refuses the commit and says why; a shape that can do without
    /// uses `try_set`.
    pub fn set(&self, change: impl Position, field: &str, value: impl Into<Value>) {
        self.must(field, self.try_set(change, field, Some(value.into())));
    }

    /// Empties a field.
    ///
    /// # Panics
    /// Like `set`.
    pub fn clear(&self, change: impl Position, field: &str) {
        self.must(field, self.try_set(change, field, None));
    }

    /// Sets a field, or empties it when there is no value.
    ///
    /// # Errors
    /// `unknown-change`, `not-granted`, `wrong-type`, `output-limit`.
    #[expect(clippy::needless_pass_by_value, reason = "reads better at every call")]
    pub fn try_set(
        &self,
        change: impl Position,
        field: &str,
        value: Option<Value>,
    ) -> Result<(), Failure> {
        self.sink().set(change.index(), field, value.as_ref())
    }

    fn must(&self, field: &str, done: Result<(), Failure>) {
        if let Err(failure) = done {
            panic!("cannot set {field}: {}", failure.told());
        }
    }
}

/// Leads to whatever takes what a guard finds.
pub trait FindingHandle {
    #[doc(hidden)]
    fn sink(&self) -> &host::Findings;
}

impl FindingHandle for host::Findings {
    fn sink(&self) -> &host::Findings {
        self
    }
}

impl dyn FindingHandle {
    /// Refuses the commit because of this change. May be called for each fault; all are told.
    ///
    /// `field` is where the person should look, `code` the rule's own name in small letters and
    /// dashes, `message` a sentence that says what is wrong and what to do.
    ///
    /// # Panics
    /// When the host takes no more objections; the commit is refused either way.
    pub fn refuse(
        &self,
        change: impl Position,
        field: Option<&str>,
        code: &str,
        message: impl AsRef<str>,
    ) {
        let done = self
            .sink()
            .refuse(change.index(), field, code, message.as_ref());
        if let Err(failure) = done {
            panic!("cannot refuse with {code}: {}", failure.told());
        }
    }
    /// Says something of this change that does not keep it from being stored: it is kept in the journal
    /// with the commit, and shown to whoever made it. The arguments are those of `refuse`.
    ///
    /// # Panics
    /// When the host takes no more findings; the commit is refused then.
    pub fn advise(
        &self,
        change: impl Position,
        field: Option<&str>,
        code: &str,
        message: impl AsRef<str>,
    ) {
        let done = self
            .sink()
            .advise(change.index(), field, code, message.as_ref());
        if let Err(failure) = done {
            panic!("cannot advise with {code}: {}", failure.told());
        }
    }

    /// Has the commit wait until somebody else in the workspace's role `role` lets it through; `reason` is
    /// what they read. Refusing goes before it. Asked again when somebody approves, a guard asks for the
    /// same again, and the kernel finds it given.
    ///
    /// # Panics
    /// When the host takes no more findings; the commit is refused then.
    pub fn ask_approval(
        &self,
        change: impl Position,
        role: &str,
        field: Option<&str>,
        code: &str,
        reason: impl AsRef<str>,
    ) {
        let done = self
            .sink()
            .ask_approval(change.index(), role, field, code, reason.as_ref());
        if let Err(failure) = done {
            panic!("cannot ask for approval with {code}: {}", failure.told());
        }
    }
}
