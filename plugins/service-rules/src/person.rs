//! Whom a rule means.

/// Whom a rule means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Person {
    /// The user with this e-mail address.
    Email(String),
    /// The user with this record id.
    User(String),
    /// The case's owner.
    Owner,
    /// Whoever the case's owner reports to.
    Manager,
    /// The owner of the customer's account.
    AccountOwner,
    /// Nobody in particular: whoever takes from the case's queue.
    Queue,
}
