//! Calls of the database that may panic on damage: the panic becomes an error, and its text is kept
//! from people, to whom it says nothing.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::error::StoreError;

thread_local! {
    /// Whether a panic of this thread is awaited.
    static AWAITED: Cell<bool> = const { Cell::new(false) };
}

/// Has panics that are awaited end in silence; all others are told as before.
static SILENCE: Once = Once::new();

/// Calls into the database. It checks what it reads, and yet panics on some damage; either means the
/// same to whoever called. Nothing of a caller may run inside, whose panics are their own.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    SILENCE.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !AWAITED.get() {
                told(panic);
            }
        }));
    });
    let before = AWAITED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(call));
    AWAITED.set(before);
    done.unwrap_or_else(|_| Err(contradiction()))
}

/// Drops something of the database, which may panic on damage as well: closing a database writes to it.
/// There is nobody to tell; whatever reads the damage tells it.
pub(crate) fn guarded_drop<T>(ended: T) {
    let _told = guarded(|| {
        drop(ended);
        Ok(())
    });
}

fn contradiction() -> StoreError {
    StoreError::Corrupt(
        "its pages contradict each other; kjerne verify, with no server running, checks every page"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_panic_of_the_database_is_damage() {
        let error = guarded::<()>(|| panic!("called `Option::unwrap()` on a `None` value"));
        let error = error.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
        assert!(!error.to_string().contains("unwrap"), "{error}");
        assert!(!AWAITED.get(), "later panics are told again");
    }
}
