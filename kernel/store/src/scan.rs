//! Scans whose visitor can fail: the first error ends the scan and is returned.

use std::ops::ControlFlow;

use crate::error::StoreError;
use crate::key::Key;
use crate::space::Space;
use crate::store::{Range, Read};

/// What a visitor says after each row.
pub(crate) type Step = Result<ControlFlow<()>, StoreError>;

/// Visits the keys of a range until `visit` breaks or fails.
pub(crate) fn range(
    read: &dyn Read,
    space: Space,
    range: Range<'_>,
    visit: &mut dyn FnMut(&[u8], &[u8]) -> Step,
) -> Result<(), StoreError> {
    let mut failure = None;
    read.scan(space, range, &mut |key, value| {
        visit(key, value).unwrap_or_else(|error| {
            failure = Some(error);
            ControlFlow::Break(())
        })
    })?;
    failure.map_or(Ok(()), Err)
}

/// Visits the keys that begin with `prefix`, from the one after `after` on.
pub(crate) fn prefix(
    read: &dyn Read,
    space: Space,
    prefix: &Key,
    after: Option<Key>,
    visit: &mut dyn FnMut(&[u8], &[u8]) -> Step,
) -> Result<(), StoreError> {
    let end = prefix.end();
    // The first key after a key is that key with a zero byte behind it.
    let from = after.map_or_else(
        || prefix.clone().into_bytes(),
        |key| key.raw(&[0]).into_bytes(),
    );
    range(
        read,
        space,
        Range {
            from: &from,
            to: end.as_deref(),
            backwards: false,
        },
        visit,
    )
}
