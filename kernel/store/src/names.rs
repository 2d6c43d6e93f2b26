//! Names read from storage, each made once.

use std::cell::RefCell;
use std::collections::HashSet;

use kjerne_model::Name;

/// The most names a thread remembers: more than every field of a large workspace.
const REMEMBERED_NAMES: usize = 8_192;

thread_local! {
    static NAMES: RefCell<HashSet<Name>> = RefCell::default();
}

/// The name with this text; names repeat in every record, so each thread makes them once.
pub(crate) fn shared_name(text: &str) -> Option<Name> {
    NAMES.with_borrow_mut(|names| {
        if let Some(name) = names.get(text) {
            return Some(name.clone());
        }
        let name = Name::new(text).ok()?;
        if names.len() < REMEMBERED_NAMES {
            names.insert(name.clone());
        }
        Some(name)
    })
}
