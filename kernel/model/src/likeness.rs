//! When two values of a field count as the same.
//!
//! A unique field, a look-up, a filter and an order must agree on that, so they all ask here: each
//! compares the forms that [`Likeness::form`] makes and never the values themselves. What is stored
//! and shown is what was written.

use std::borrow::Cow;

use kjerne_values::fold_case;

use crate::phone::phone_key;
use crate::value::Value;

/// How values of a field are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Likeness {
    /// As they stand. The keys of other systems differ in case alone.
    Exact,
    /// Without their case.
    WithoutCase,
    /// By the number they dial, whatever stands between its digits.
    Phone,
}

impl Likeness {
    /// The form of a value by which it is compared.
    #[must_use]
    pub fn form(self, value: &Value) -> Cow<'_, Value> {
        match (self, value) {
            (Self::WithoutCase, Value::Text(text)) => Cow::Owned(Value::Text(fold_case(text))),
            (Self::Phone, Value::Text(text)) => Cow::Owned(Value::Text(phone_key(text))),
            _ => Cow::Borrowed(value),
        }
    }
}
