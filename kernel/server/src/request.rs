//! What handlers read from a request: its body and the words of its address.

use axum::body::{Body, HttpBody as _};
use axum::extract::rejection::PathRejection;
use axum::extract::{self, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use kjerne_core::limits::Limit;
use kjerne_wire::json;
use percent_encoding::percent_decode;
use serde_json::{Map, Value as Json};

use crate::app::{Answer, App};
use crate::body::Pieces;
use crate::headers::single;
use crate::limits::{INBOUND_BODY, JSON_VALUES, REQUEST_BODY};
use crate::memory::{Held, Room};
use crate::problem::Problem;

/// The parts of the path that a route names.
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    extract::Path<T>: FromRequestParts<S, Rejection = PathRejection>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = extract::Path::<T>::from_request_parts(parts, state).await;
        let extract::Path(read) = read.map_err(|error| Problem::bad_request(error.body_text()))?;
        Ok(Self(read))
    }
}

/// A body of so many bytes is read in less time than it takes to hand it to another thread and back.
const SHORT: usize = 16 << 10;

/// A JSON body. It has to say that it is JSON: browsers send anything else across sites unasked.
/// What it takes of the memory is counted before it is read, and given back when it is dropped.
pub struct JsonBody(pub Held<Json>);

impl FromRequest<App> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        as_it_is(request.headers())?;
        let form = single(request.headers(), &header::CONTENT_TYPE)?.unwrap_or_default();
        if !is_json(form) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body is of another type",
                format!("send the body as application/json, not as {form:?}"),
            ));
        }
        let body = read(request, app, &REQUEST_BODY).await?;
        let room = app.trees.take(json::weight(&body, &JSON_VALUES)).await?;
        let read = if body.len() <= SHORT {
            json::parse(&body, &JSON_VALUES)
        } else {
            // Reading a long body takes a while, in which others want to be served.
            let read = tokio::task::spawn_blocking(move || json::parse(&body, &JSON_VALUES));
            let read = read.await;
            read.map_err(|error| Problem::internal(format!("reading broke: {error}")))?
        };
        let wrong = |error| Problem::bad_request(format!("the body is no JSON: {error}"));
        let value = read.map_err(wrong)?;
        Ok(Self(Held { value, room }))
    }
}

/// Refuses a body that is written in some coding: read as it stands, it would be something else than was
/// sent.
pub(crate) fn as_it_is(headers: &HeaderMap) -> Result<(), Problem> {
    match single(headers, &header::CONTENT_ENCODING)? {
        None => Ok(()),
        Some(coding) if coding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(coding) => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "The body is of another type",
            format!("send the body as it is, not in the coding {coding:?}"),
        )),
    }
}

fn is_json(form: &str) -> bool {
    let essence = form
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}

/// A message from outside, of any form.
pub struct InboundBody {
    /// Its content type.
    pub content_type: String,
    /// Its headers, names in small letters, without those that carry our own secrets.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// What the body takes.
    pub room: Room,
}

impl FromRequest<App> for InboundBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let content_type = single(request.headers(), &header::CONTENT_TYPE)?.unwrap_or_default();
        let content_type = content_type.to_owned();
        let ours = [
            header::AUTHORIZATION,
            header::COOKIE,
            header::PROXY_AUTHORIZATION,
        ];
        let told = request
            .headers()
            .iter()
            .filter(|(name, _)| !ours.contains(name));
        let headers = told.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        let Held { value: body, room } = read(request, app, &INBOUND_BODY).await?;
        Ok(Self {
            content_type,
            headers,
            body,
            room,
        })
    }
}

/// A plugin's file, and what came beside it in headers: texts of several lines in base64, a key as it is.
pub struct PackageBody {
    /// The file.
    pub bytes: Held<Vec<u8>>,
    /// The text of its signature.
    pub signature: Option<String>,
    /// The text of a statement of succession.
    pub succession: Option<String>,
    /// The public key to verify it with.
    pub public_key: Option<String>,
}

/// The header with the signature of a plugin's file.
pub const SIGNATURE: HeaderName = HeaderName::from_static("kjerne-signature");
/// The header with a statement by which its key succeeds another.
pub const SUCCESSION: HeaderName = HeaderName::from_static("kjerne-succession");
/// The header with the public key it is to be verified with.
pub const PUBLIC_KEY: HeaderName = HeaderName::from_static("kjerne-public-key");

/// A text that a header holds in base64.
fn packed(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    use base64::Engine as _;
    let Some(value) = single(headers, name)? else {
        return Ok(None);
    };
    let bytes = base64::engine::general_purpose::STANDARD.decode(value.trim());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let wrong = || {
        Problem::bad_request(format!(
            "{name} is no text in base64; send the file with: base64 -w0 FILE"
        ))
    };
    text.map(Some).ok_or_else(wrong)
}

impl FromRequest<App> for PackageBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        as_it_is(request.headers())?;
        let headers = request.headers();
        let (signature, succession) = (packed(headers, &SIGNATURE)?, packed(headers, &SUCCESSION)?);
        let public_key = single(headers, &PUBLIC_KEY)?.map(str::to_owned);
        let bytes = read(request, app, &kjerne_package::limits::PACKAGE).await?;
        Ok(Self {
            bytes,
            signature,
            succession,
            public_key,
        })
    }
}

/// The text of a settings file.
pub struct SettingsBody(pub String);

impl FromRequest<App> for SettingsBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        as_it_is(request.headers())?;
        let bytes = read(request, app, &kjerne_package::limits::SETTINGS).await?;
        let text = String::from_utf8(bytes.value);
        text.map(Self)
            .map_err(|_| Problem::bad_request("the settings are not UTF-8"))
    }
}

/// Reads a body whole, taking room for each piece as it comes: what is announced may never come.
async fn read(request: Request, app: &App, limit: &Limit) -> Result<Held<Vec<u8>>, Problem> {
    let too_large = || Problem::too_large("body", limit);
    let announced = single(request.headers(), &header::CONTENT_LENGTH)?;
    let announced = announced.and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit.value) {
        return Err(too_large());
    }
    let mut room = app.bodies.take(1).await?;
    let (mut body, mut value) = (Pieces::short(request.into_body()), Vec::new());
    while let Some(piece) = body.next().await? {
        let bytes = value.len() + piece.len();
        if bytes as u64 > limit.value {
            return Err(too_large());
        }
        if bytes > room.bytes() {
            room.join(app.bodies.take_now(bytes - room.bytes())?);
        }
        value.extend_from_slice(&piece);
    }
    Ok(Held { value, room })
}

/// The words after the `?`, of which a route knows some; one it does not know is an error, because
/// a misspelt filter must not answer with everything.
pub struct Words(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Words {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        readable(parts.uri.query().unwrap_or_default())?;
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let Query(words) = query.map_err(|error| Problem::bad_request(error.to_string()))?;
        Ok(Self(words))
    }
}

/// What is no escape, or stands for no UTF-8, would become another text on its way.
fn readable(query: &str) -> Result<(), Problem> {
    let mut escapes = query.split('%');
    escapes.next();
    let two = |escape: &str| {
        let digits = escape.as_bytes().get(..2);
        digits.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    };
    if !escapes.all(two) {
        return Err(Problem::bad_request(
            "behind the ? stands a % without two hexadecimal digits; a % itself is written %25",
        ));
    }
    let text = percent_decode(query.as_bytes()).decode_utf8();
    text.map(drop)
        .map_err(|_| Problem::bad_request("the words behind the ? are not UTF-8"))
}

/// For what takes no words: one that is not looked at, such as `dry_run`, must not be taken for one that
/// was.
pub(crate) async fn no_words_here(request: Request, next: Next) -> Answer {
    match request.uri().query() {
        None | Some("") => Ok(next.run(request).await),
        Some(_) => Err(no_words()),
    }
}

fn no_words() -> Problem {
    Problem::bad_request("there are no words behind the ? here; GET / says what there is")
}

/// For what reads no body: a condition that stands in one, such as `expected`, must not be passed over.
/// One of no bytes is none, in whatever form it comes.
pub(crate) async fn no_body_here(request: Request, next: Next) -> Answer {
    let (parts, body) = request.into_parts();
    let announced = single(&parts.headers, &header::CONTENT_LENGTH)?.unwrap_or("0");
    let mut is_empty = announced.bytes().all(|digit| digit == b'0');
    if is_empty && !body.is_end_stream() {
        let mut pieces = Pieces::short(body);
        while is_empty && let Some(piece) = pieces.next().await? {
            is_empty = piece.is_empty();
        }
    }
    if is_empty {
        let request = Request::from_parts(parts, Body::empty());
        return Ok(next.run(request).await);
    }
    Err(Problem::bad_request(format!(
        "{} {} reads no body, and nothing may stand in one; GET / says what there is",
        parts.method,
        parts.uri.path()
    )))
}

/// The same for the methods that never have one.
pub(crate) async fn bodies_where_they_are_read(request: Request, next: Next) -> Answer {
    match *request.method() {
        Method::POST | Method::PUT | Method::PATCH => Ok(next.run(request).await),
        _ => no_body_here(request, next).await,
    }
}

impl Words {
    /// Checks that only these are there, each once under whichever of its names.
    pub fn only(&self, known: &[&[&str]]) -> Result<(), Problem> {
        let mut seen: Vec<(usize, &str)> = Vec::new();
        for (name, _) in &self.0 {
            let which = known
                .iter()
                .position(|names| names.contains(&name.as_str()));
            let Some(which) = which else {
                if known.is_empty() {
                    return Err(no_words());
                }
                let names: Vec<&str> = known.iter().map(|names| names[0]).collect();
                let detail = format!("there is no {name:?} here; there are: {}", names.join(", "));
                return Err(Problem::bad_request(detail));
            };
            if let Some((_, first)) = seen.iter().find(|(one, _)| *one == which) {
                let detail = if first == name {
                    format!("{name:?} stands there twice; say it once")
                } else {
                    format!("{first:?} and {name:?} are two names for one thing; say it once")
                };
                return Err(Problem::bad_request(detail));
            }
            seen.push((which, name));
        }
        Ok(())
    }

    /// The words of all other names than these, each of which is there once.
    pub fn all_but(&self, known: &[&str]) -> Result<Map<String, Json>, Problem> {
        let mut others = Map::new();
        let mut seen = std::collections::BTreeSet::new();
        for (name, value) in &self.0 {
            if !seen.insert(name) {
                let detail = format!("{name:?} stands there twice; say it once");
                return Err(Problem::bad_request(detail));
            }
            if !known.contains(&name.as_str()) {
                others.insert(name.clone(), Json::String(value.clone()));
            }
        }
        Ok(others)
    }

    /// The word of one of these names.
    pub fn get(&self, names: &[&str]) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether one of these names says so; absent means no.
    pub fn flag(&self, names: &[&str]) -> Result<bool, Problem> {
        match self.get(names) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Problem::bad_request(format!(
                "{}: expected true or false, found {other:?}",
                names[0]
            ))),
        }
    }

    /// The number of one of these names.
    pub fn number<N: std::str::FromStr>(&self, names: &[&str]) -> Result<Option<N>, Problem> {
        let Some(text) = self.get(names) else {
            return Ok(None);
        };
        let wrong =
            || Problem::bad_request(format!("{}: expected a number, found {text:?}", names[0]));
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        text.parse().map(Some).map_err(|_| wrong())
    }
}

/// A header nothing depends on, as text.
pub fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::stream;
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::{get, post};
    use tower_service::Service as _;

    #[test]
    fn a_word_stands_there_once_under_whichever_of_its_names() {
        const KNOWN: &[&[&str]] = &[&["filter", "$filter"], &["top", "$top"]];
        for (query, told) in [
            ("", None),
            ("filter=a&top=1", None),
            ("%24filter=a", None),
            ("filter=a&filter=b", Some("\"filter\" stands there twice")),
            ("filter=&filter=name", Some("\"filter\" stands there twice")),
            ("filter=a&filter=a", Some("\"filter\" stands there twice")),
            ("filter=a&$filter=b", Some("two names for one thing")),
            ("fitler=a", Some("there is no \"fitler\" here")),
        ] {
            let read: Vec<(String, String)> = form(query);
            let error = Words(read)
                .only(KNOWN)
                .err()
                .map(|error| error.json().to_string());
            match (&error, told) {
                (None, None) => {}
                (Some(error), Some(told)) => {
                    let told = told.replace('"', "\\\"");
                    assert!(error.contains(&told), "{query}: {error}");
                }
                _ => panic!("{query}: {error:?}"),
            }
        }
    }

    #[test]
    fn where_there_are_no_words_none_are_listed() {
        let error = Words(form("x=1")).only(&[]).err();
        let error = error.map(|error| error.json().to_string());
        assert!(error.is_some_and(|error| error.contains("there are no words behind the ?")));
    }

    fn form(query: &str) -> Vec<(String, String)> {
        let uri = format!("/?{query}").parse().unwrap();
        let Query(words) = Query::try_from_uri(&uri).unwrap();
        words
    }

    #[tokio::test]
    async fn a_body_is_refused_where_none_is_read() {
        let unread = || async { "done" };
        let read = |body: axum::body::Bytes| async move { body.len().to_string() };
        let one = get(unread).delete(unread).post(read).put(read).patch(read);
        let act = post(unread).layer(from_fn(no_body_here));
        let router = Router::new().route("/one", one).route("/act", act);
        let router = router.layer(from_fn(bodies_where_they_are_read));
        // Of no length that is told, and without a byte.
        let coming = || Body::new(stream::pair(false).1);
        for (method, path, body, status) in [
            (Method::DELETE, "/one", Body::empty(), 200),
            (Method::DELETE, "/one", coming(), 200),
            (Method::DELETE, "/one", Body::from("{\"expected\": 9}"), 400),
            (Method::GET, "/one", Body::from("x"), 400),
            (Method::HEAD, "/one", Body::from("x"), 400),
            (Method::POST, "/one", Body::from("x"), 200),
            (Method::PUT, "/one", Body::from("x"), 200),
            (Method::PATCH, "/one", Body::from("x"), 200),
            (Method::POST, "/act", Body::empty(), 200),
            (Method::POST, "/act", Body::from("{\"dry_run\": true}"), 400),
        ] {
            let shown = format!("{method} {path}");
            let request = Request::builder().method(method).uri(path).body(body);
            let answer = router.clone().call(request.unwrap()).await.unwrap();
            assert_eq!(answer.status(), status, "{shown}");
        }
    }

    #[test]
    fn only_json_is_json() {
        for (form, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            assert_eq!(is_json(form), json, "{form}");
        }
    }
}
