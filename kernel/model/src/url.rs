//! Web addresses: what is one.

/// The most bytes of an address.
pub(crate) const MAX_BYTES: usize = 2_048;

/// True for `http://` or `https://`, in letters of any case, a host that can be one, and what may
/// follow.
pub(crate) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let known = ["http", "https"]
        .iter()
        .any(|one| scheme.eq_ignore_ascii_case(one));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    known && clean && text.len() <= MAX_BYTES && is_place(place)
}

/// Whether an address may be written anew. Readers take a backslash for a slash, and so another host than the one
/// behind it; and a host that ends without any letter is a number or a date. Stored ones hold by [`is_url`].
pub(crate) fn is_written(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return true;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    let host = place.split(':').next().unwrap_or_default();
    let last = host.trim_end_matches('.').rsplit('.').next();
    let is_number = host.parse::<std::net::Ipv4Addr>().is_ok();
    let has_letter =
        last.is_some_and(|last| last.contains(|c: char| !c.is_ascii() || c.is_ascii_alphabetic()));
    !text.contains('\\') && (place.starts_with('[') || is_number || has_letter)
}

/// A host, and a port when there is one.
fn is_place(place: &str) -> bool {
    if let Some(rest) = place.strip_prefix('[') {
        let Some((host, port)) = rest.split_once(']') else {
            return false;
        };
        return host.parse::<std::net::Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    match place.split_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(place),
    }
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

/// Labels between points. A host that ends in a number is read as an address of four numbers by
/// everybody who opens it, so it has to be one.
fn is_host(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_') || is_joiner(c);
        !label.is_empty()
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let ends_in_number = last.bytes().all(|byte| byte.is_ascii_digit());
    host.split('.').all(is_label) && (!ends_in_number || host.parse::<std::net::Ipv4Addr>().is_ok())
}

/// Letters of other scripts may be written with marks and joiners of their own.
fn is_joiner(letter: char) -> bool {
    !letter.is_ascii()
        && !letter.is_whitespace()
        && !letter.is_control()
        && !"。．／＠：".contains(letter)
}
