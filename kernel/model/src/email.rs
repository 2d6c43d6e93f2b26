//! E-mail addresses: what is one.

/// One `@` with something sensible on both sides. What else an address may be only its server
/// knows; a stricter rule would refuse addresses that receive mail.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let clean = |part: &str| {
        !part.is_empty()
            && !part
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    clean(local)
        && clean(domain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

/// Whether an address may be written anew: nothing stands in it that belongs to a list, a link or a sentence
/// round it, and its domain is one that a server can have. Stored ones hold by [`is_email`].
pub(crate) fn is_written(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let is_label = |label: &str| {
        let inner = |c: char| c == '-' || c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii();
        label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    (is_quoted || !local.contains(FRAMES))
        && domain.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Signs that stand in no address but within quotes.
const FRAMES: [char; 11] = ['<', '>', '(', ')', '[', ']', ',', ';', ':', '"', '\\'];
