//! Who may come in: host and origin against pages in a browser on this machine, the bearer token
//! against everybody else.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use kjerne_model::Actor;
use percent_encoding::percent_decode;

use crate::app::{Answer, App, Door};
use crate::headers::single;
use crate::limits::ACTOR_NAME;
use crate::problem::Problem;

/// Lets a request pass with its actor, or says why not.
pub(crate) async fn pass(State(app): State<App>, mut request: Request, next: Next) -> Answer {
    check_framing(&request)?;
    let actor = match app.door {
        Door::Owner => owner(request.headers())?,
        Door::Network { loopback } => {
            let headers = request.headers();
            check_host(&app, loopback, request.uri(), headers)?;
            check_origin(request.method(), headers)?;
            actor(&app, loopback, request.uri().path(), headers)?
        }
    };
    request.extensions_mut().insert(actor);
    let response: Response = next.run(request).await;
    Ok(response)
}

/// What says where the request ends and whom it is for must be plain: another server in front of this
/// one must not see another end, or another server.
fn check_framing(request: &Request) -> Result<(), Problem> {
    let coding = single(request.headers(), &header::TRANSFER_ENCODING)?;
    let host = single(request.headers(), &header::HOST)?;
    if host.is_none() && request.version() == Version::HTTP_11 {
        return Err(Problem::bad_request(
            "the Host header is missing, by which a request of HTTP/1.1 says whom it is for",
        ));
    }
    let other = request.uri().authority().map(Authority::as_str);
    if let (Some(host), Some(other)) = (host, other)
        && !host.eq_ignore_ascii_case(other)
    {
        return Err(Problem::bad_request(
            "the address names another server than the Host header",
        ));
    }
    match coding {
        Some(coding) if !coding.eq_ignore_ascii_case("chunked") => Err(Problem::bad_request(
            "the transfer coding may be chunked and nothing else",
        )),
        _ => Ok(()),
    }
}

/// Keeps everybody but the workspace's owner from administration: over the network there are no
/// rights yet that could tell who may.
pub(crate) async fn owner_only(State(app): State<App>, request: Request, next: Next) -> Answer {
    if app.door == Door::Owner {
        return Ok(next.run(request).await);
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "owner-only",
        "Only for the owner of the workspace",
        "administration goes over the socket in the workspace's directory; use the kjerne command \
         on the machine the server runs on",
    ))
}

/// The header by which the owner says in whose name something is done: UTF-8, percent-encoded.
pub const ACTOR: HeaderName = HeaderName::from_static("kjerne-actor");

fn owner(headers: &HeaderMap) -> Result<Actor, Problem> {
    let mut names = headers.get_all(ACTOR).iter();
    let name = match (names.next(), names.next()) {
        (None, _) => return Ok(Actor::User("local".to_owned())),
        (Some(name), None) => name,
        (Some(_), Some(_)) => {
            let detail = format!("{ACTOR} stands there twice; say it once");
            return Err(Problem::bad_request(detail));
        }
    };
    let name = percent_decode(name.as_bytes()).decode_utf8();
    let name = name.unwrap_or_default();
    if name.trim().is_empty()
        || name.len() > ACTOR_NAME.count()
        || name.chars().any(char::is_control)
    {
        return Err(Problem::bad_request(format!(
            "{ACTOR} has {} bytes; a name has 1 to {}, in UTF-8 and without control characters \
             (limit {})",
            name.len(),
            ACTOR_NAME.value,
            ACTOR_NAME.name
        )));
    }
    Ok(Actor::User(name.into_owned()))
}

/// On loopback the host has to be a name of this machine: a page elsewhere can have its own name
/// stand for 127.0.0.1, but it cannot choose the name its requests carry.
fn check_host(app: &App, loopback: bool, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let named = single(headers, &header::HOST)?.or_else(|| uri.authority().map(Authority::as_str));
    let host = host_of(named.unwrap_or_default());
    let known = &app.runtime.workspace.settings().serve.hosts;
    if !loopback || is_local(host) || known.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "host",
        "The server has another name",
        format!(
            "this server is not {host:?}; call it localhost, or list the name under [serve] hosts"
        ),
    ))
}

fn host_of(authority: &str) -> &str {
    let end = authority.rfind(':').filter(|at| {
        authority[at + 1..]
            .bytes()
            .all(|byte| byte.is_ascii_digit())
    });
    &authority[..end.unwrap_or(authority.len())]
}

fn is_local(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| local.eq_ignore_ascii_case(host))
}

/// A page of another origin may not change anything.
fn check_origin(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = single(headers, &header::ORIGIN)? else {
        return Ok(());
    };
    let ours = single(headers, &header::HOST)?.unwrap_or_default();
    let theirs = origin
        .split_once("://")
        .map_or("", |(_, authority)| authority);
    if method.is_safe() || theirs.eq_ignore_ascii_case(ours) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "origin",
        "A page of another origin asked",
        format!("pages of {origin} may not change anything here"),
    ))
}

/// As soon as the workspace has a token, everything but the front door asks for one.
fn actor(app: &App, loopback: bool, path: &str, headers: &HeaderMap) -> Result<Actor, Problem> {
    let secrets = app.runtime.secrets();
    // The last token may be taken back while the server runs: who can be reached by others then
    // lets nobody in.
    let given = single(headers, &header::AUTHORIZATION)?.and_then(bearer);
    if secrets.tokens.is_empty() && loopback && given.is_none() {
        return Ok(Actor::User("local".to_owned()));
    }
    match given.and_then(|token| secrets.who(token)) {
        Some(name) => Ok(Actor::User(name.to_owned())),
        None if given.is_none() && matches!(path, "/" | "/v1/health") => {
            Ok(Actor::User("anonymous".to_owned()))
        }
        None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A token is needed",
            "send Authorization: Bearer TOKEN with a token of this workspace",
        )),
    }
}

fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn hosts_are_told_apart() {
        for (authority, host, local) in [
            ("localhost:7380", "localhost", true),
            ("LOCALHOST", "LOCALHOST", true),
            ("127.0.0.1:7380", "127.0.0.1", true),
            ("[::1]:7380", "[::1]", true),
            ("[::1]", "[::1]", true),
            (
                "127.0.0.1.evil.example:7380",
                "127.0.0.1.evil.example",
                false,
            ),
            ("evil.example", "evil.example", false),
            ("127.0.0.1:7380@evil", "127.0.0.1:7380@evil", false),
            ("127.0.0.1:7380, evil", "127.0.0.1:7380, evil", false),
            ("", "", false),
        ] {
            assert_eq!(host_of(authority), host);
            assert_eq!(is_local(host), local, "{authority}");
        }
    }

    #[test]
    fn a_page_of_another_origin_may_look_but_not_touch() {
        let headers = |origin: &'static str| {
            HeaderMap::from_iter([
                (header::HOST, HeaderValue::from_static("localhost:7380")),
                (header::ORIGIN, HeaderValue::from_static(origin)),
            ])
        };
        for (method, origin, passes) in [
            (Method::GET, "https://evil.example", true),
            (Method::POST, "https://evil.example", false),
            (Method::DELETE, "null", false),
            (Method::POST, "http://localhost:3000", false),
            (Method::POST, "http://localhost:7380", true),
        ] {
            assert_eq!(
                check_origin(&method, &headers(origin)).is_ok(),
                passes,
                "{method} {origin}"
            );
        }
        assert!(check_origin(&Method::POST, &HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
    }

    #[test]
    fn a_request_says_whom_it_is_for_unless_it_is_older_than_that() {
        for (version, host, passes) in [
            (Version::HTTP_11, Some("localhost"), true),
            (Version::HTTP_11, None, false),
            (Version::HTTP_10, None, true),
        ] {
            let mut request = Request::default();
            *request.version_mut() = version;
            if let Some(host) = host {
                let host = HeaderValue::from_static(host);
                request.headers_mut().insert(header::HOST, host);
            }
            assert_eq!(
                check_framing(&request).is_ok(),
                passes,
                "{version:?} {host:?}"
            );
        }
    }

    #[test]
    fn a_header_that_decides_stands_there_once_and_can_be_read() {
        let request = |name: &str, values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            let name = HeaderName::from_bytes(name.as_bytes());
            for (name, value) in name
                .iter()
                .flat_map(|name| values.iter().map(move |v| (name, v)))
            {
                headers.extend(HeaderValue::from_bytes(value).map(|value| (name.clone(), value)));
            }
            headers
        };
        let origin = |headers: &HeaderMap| check_origin(&Method::POST, headers).is_ok();
        let owned = |headers: &HeaderMap| owner(headers).is_ok();
        let framed = |headers: &HeaderMap| {
            let mut request = Request::default();
            *request.headers_mut() = headers.clone();
            let host = HeaderValue::from_static("localhost");
            request.headers_mut().insert(header::HOST, host);
            check_framing(&request).is_ok()
        };
        type Check<'a> = &'a dyn Fn(&HeaderMap) -> bool;
        let cases: [(Check<'_>, &str, &[&[u8]], bool); 12] = [
            (&framed, "transfer-encoding", &[], true),
            (&framed, "transfer-encoding", &[b"chunked"], true),
            (&framed, "transfer-encoding", &[b"Chunked"], true),
            (&framed, "transfer-encoding", &[b"gzip, chunked"], false),
            (&framed, "transfer-encoding", &[b"gzip", b"chunked"], false),
            (&framed, "transfer-encoding", &[b"chunked\xa0"], false),
            (&origin, "origin", &[b"null", b"null"], false),
            (&origin, "origin", &[b"\xff"], false),
            (&owned, "kjerne-actor", &["kåre".as_bytes()], true),
            (&owned, "kjerne-actor", &[b"kari", b"ola"], false),
            (&owned, "kjerne-actor", &[b"\xff"], false),
            (&owned, "kjerne-actor", &[], true),
        ];
        for (check, name, values, passes) in cases {
            assert_eq!(check(&request(name, values)), passes, "{name} {values:?}");
        }
    }
}
