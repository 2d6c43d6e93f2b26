//! Messages to other systems.

/// A message to another system, as a plugin made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Where to: `https://host[:port]/path`.
    pub url: String,
    /// The body's content type.
    pub content_type: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Messages of one plugin with the same key are delivered in order.
    pub order_key: String,
    /// Names the message for the receiver.
    pub id: String,
    /// The workspace secret to sign with.
    pub signing_secret: Option<String>,
}
