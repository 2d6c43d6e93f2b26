//! Headers of messages to other systems: which the kernel sends for a plugin, and which it sets itself.

/// Headers the kernel sets itself, or that would make another message of it.
const OWN: [&str; 14] = [
    "host",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "cookie",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "keep-alive",
];

/// Whether the kernel sets a header itself, in whatever case it is written.
#[must_use]
pub fn is_own(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let begins = |own: &&str| name.starts_with(*own);
    OWN.contains(&name.as_str()) || ["proxy-", "kjerne-"].iter().any(begins)
}

/// Whether a text can be the name of a header: letters, digits, `-` and `_`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !name.is_empty() && name.bytes().all(is_sign)
}

/// Whether a text can be the value of a header: visible ASCII and blanks.
#[must_use]
pub fn is_value(value: &str) -> bool {
    let is_sign = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    value.bytes().all(is_sign)
}
