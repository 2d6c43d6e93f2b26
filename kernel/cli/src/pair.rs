//! `NAME=VALUE` on the command line.

/// Reads a name and what follows the first sign of equality.
///
/// # Errors
/// When there is no such sign, or nothing before it.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("expected name=value, found {text:?}")),
    }
}
