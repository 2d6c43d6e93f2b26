//! Whether a message to an address, with these headers, can be sent at all. What the kernel would refuse at
//! every event is refused when the settings are set.
//!
//! The kernel's limits are said here once more, since a plugin cannot ask for them: `message-headers`,
//! `message-header`, `send-host` and `secret-name` of `kjerne limits`.

use kjerne_sdk::header;

/// The most headers of a subscription.
const HEADERS: usize = 64;

/// The most bytes of a header, and of the address.
const HEADER_BYTES: usize = 8 << 10;

/// The most bytes of a host's name.
const HOST_BYTES: usize = 253;

/// The most bytes of a secret's name.
const SECRET_BYTES: usize = 64;

/// What is wrong with an address. `https://host:port/path`, without a name or password in it, which belong in
/// a header; `http` goes to the machine itself only.
pub fn wrong_address(url: &str) -> Option<String> {
    if url.len() > HEADER_BYTES {
        return Some(format!("url has more than {HEADER_BYTES} bytes"));
    }
    let wrong = |why: &str| Some(format!("'{url}' is no address: {why}"));
    let (rest, is_secure) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return wrong("write https://host/path"),
    };
    let is_sign = |byte: u8| byte.is_ascii_graphic() && !b"\"<>`\\#".contains(&byte);
    if !url.bytes().all(is_sign) {
        return wrong("write blanks, quotes, <, > and letters beyond ASCII as %XX, and no #");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_label = |label: &str| {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_sign)
    };
    let is_digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = |port: &str| is_digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0);
    if host.len() > HOST_BYTES || !host.split('.').all(is_label) || !port.is_none_or(is_port) {
        return wrong(
            "its host is none that can be granted; write https://host:port/path, a name or password in a header",
        );
    }
    if !is_secure && !["localhost", "127.0.0.1"].contains(&host.to_ascii_lowercase().as_str()) {
        return wrong("http goes to this machine only; write https");
    }
    None
}

/// What is wrong with headers, of which one cannot be sent as it is.
pub fn wrong_headers(headers: &[(String, String)]) -> Option<String> {
    if headers.len() > HEADERS {
        return Some(format!("there are more than {HEADERS} headers"));
    }
    headers.iter().find_map(|(name, value)| {
        if !header::is_name(name) {
            Some(format!("'{name}' cannot be a header; write letters, digits, - and _"))
        } else if header::is_own(name) {
            Some(format!("the header '{name}' is set by the kernel; leave it out"))
        } else if !header::is_value(value) {
            Some(format!("the header '{name}' cannot be sent; write its value in ASCII, without control characters"))
        } else {
            (value.len() > HEADER_BYTES)
                .then(|| format!("the header '{name}' has more than {HEADER_BYTES} bytes"))
        }
    })
}

/// What is wrong with the name of a secret.
pub fn wrong_secret(name: &str) -> Option<String> {
    let is_sign =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let is_name = (1..=SECRET_BYTES).contains(&name.len()) && name.bytes().all(is_sign);
    (!is_name).then(|| {
        format!("'{name}' cannot be a secret; name one with 1 to {SECRET_BYTES} small letters, digits, - and _, or leave it out")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b4_an_address_is_one_that_can_be_granted_and_sent_to() {
        for (url, good) in [
            ("https://a.example", true),
            ("https://a.example:8443/in?x=1", true),
            ("http://127.0.0.1:9/in", true),
            ("http://LOCALHOST/in", true),
            ("http://[::1]:9/in", false),
            ("https://[zz]", false),
            ("http://erp.example.com", false),
            ("https://", false),
            ("https:///in", false),
            ("https:// a.example", false),
            ("https://a.example/a b", false),
            ("https://a.example/<id>", false),
            ("https://a.example:99999/", false),
            ("https://a.example:0/", false),
            ("https://a.example:+1/", false),
            ("https://kari:word@a.example/", false),
            ("https://a.example/#part", false),
            ("HTTPS://a.example/", false),
            ("ftp://a.example/", false),
        ] {
            assert_eq!(wrong_address(url).is_none(), good, "{url}");
        }
        let long = |bytes: usize| format!("https://a.example/{}", "x".repeat(bytes - 18));
        assert_eq!(wrong_address(&long(HEADER_BYTES)), None);
        assert!(wrong_address(&long(HEADER_BYTES + 1)).is_some());
    }

    #[test]
    fn b4_headers_and_secrets_are_such_as_the_kernel_sends() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (name, value, good) in [
            ("x-tenant", "north by west", true),
            ("content-type", "text/plain", false),
            ("Kjerne-Chain", "x", false),
            ("x!a", "x", false),
            ("", "x", false),
            ("x", "blåbær", false),
            ("x", "a\tb", false),
            ("x", "a\r\nb", false),
        ] {
            let told = wrong_headers(&[header(name, value)]);
            assert_eq!(told.is_none(), good, "{name}: {value}");
        }
        assert!(wrong_headers(&[header("x", &"y".repeat(9_000))]).is_some());
        let many = |count: usize| {
            (0..count)
                .map(|at| header(&format!("x-{at}"), "y"))
                .collect::<Vec<_>>()
        };
        assert_eq!(wrong_headers(&many(HEADERS)), None);
        assert!(wrong_headers(&many(HEADERS + 1)).is_some());
        for (name, good) in [("erp-2", true), ("Bad Name", false), ("", false)] {
            assert_eq!(wrong_secret(name).is_none(), good, "{name}");
        }
    }
}
