//! What handlers read from a request: body, words of the address, preconditions.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use kjerne_core::limits::Limit;
use serde_json::Value as Json;

use crate::limits::{INBOUND_BODY, REQUEST_BODY};
use crate::problem::Problem;

/// A JSON body. It has to say that it is JSON: browsers send anything else across sites unasked.
pub struct JsonBody(pub Json);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let form = text(request.headers(), &header::CONTENT_TYPE).unwrap_or_default();
        if !is_json(form) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body is of another type",
                format!("send the body as application/json, not as {form:?}"),
            ));
        }
        let body = read(request, &REQUEST_BODY).await?;
        let json = kjerne_wire::parse_json(&body);
        json.map(Self)
            .map_err(|error| Problem::bad_request(format!("the body is no JSON: {error}")))
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
}

impl<S: Send + Sync> FromRequest<S> for InboundBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let content_type = text(request.headers(), &header::CONTENT_TYPE).unwrap_or_default();
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
        Ok(Self {
            content_type,
            headers,
            body: read(request, &INBOUND_BODY).await?,
        })
    }
}

/// A plugin's file.
pub struct PackageBody(pub Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for PackageBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request, &kjerne_host::limits::PACKAGE).await.map(Self)
    }
}

/// The text of a settings file.
pub struct SettingsBody(pub String);

impl<S: Send + Sync> FromRequest<S> for SettingsBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read(request, &kjerne_host::limits::SETTINGS).await?;
        let text = String::from_utf8(bytes);
        text.map(Self)
            .map_err(|_| Problem::bad_request("the settings are not UTF-8"))
    }
}

async fn read(request: Request, limit: &Limit) -> Result<Vec<u8>, Problem> {
    let too_large = || Problem::too_large("body", limit);
    let announced = text(request.headers(), &header::CONTENT_LENGTH);
    if announced
        .and_then(|length| length.parse::<u64>().ok())
        .is_some_and(|l| l > limit.value)
    {
        return Err(too_large());
    }
    let (mut body, mut bytes) = (request.into_body(), Vec::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame =
            frame.map_err(|error| Problem::bad_request(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if (bytes.len() + data.len()) as u64 > limit.value {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The words after the `?`, of which a route knows some; one it does not know is an error, because
/// a misspelt filter must not answer with everything.
pub struct Words(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Words {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let Query(words) = query.map_err(|error| Problem::bad_request(error.to_string()))?;
        Ok(Self(words))
    }
}

impl Words {
    /// Checks that only these are there; each may have other names.
    pub fn only(&self, known: &[&[&str]]) -> Result<(), Problem> {
        let is_known = |name: &str| known.iter().any(|names| names.contains(&name));
        match self.0.iter().find(|(name, _)| !is_known(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let names: Vec<&str> = known.iter().map(|names| names[0]).collect();
                let detail = format!("there is no {name:?} here; there are: {}", names.join(", "));
                Err(Problem::bad_request(detail))
            }
        }
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
        text.parse().map(Some).map_err(|_| wrong())
    }
}

/// What `If-Match` asks for.
pub enum Expected {
    /// Nothing.
    Nothing,
    /// A record, of any version.
    Any,
    /// This version.
    Version(u64),
}

impl Expected {
    /// Reads the header.
    pub fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(text) = text(headers, &header::IF_MATCH) else {
            return Ok(Self::Nothing);
        };
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let wrong = || {
            Problem::bad_request(format!(
                "If-Match: expected one version as in ETag, such as \"3\", found {text:?}"
            ))
        };
        let inner = text
            .trim()
            .strip_prefix('"')
            .and_then(|t| t.strip_suffix('"'));
        inner
            .and_then(|t| t.parse().ok())
            .map(Self::Version)
            .ok_or_else(wrong)
    }

    /// The version, when one was named.
    pub fn version(&self) -> Option<u64> {
        match self {
            Self::Version(version) => Some(*version),
            Self::Nothing | Self::Any => None,
        }
    }

    /// Whether there was a precondition at all.
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

/// Whether `If-None-Match` names this tag; weak and strong count the same when reading.
pub fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let tags = text(headers, &header::IF_NONE_MATCH).unwrap_or_default();
    let mut tags = tags
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"));
    tags.any(|one| one == "*" || one == tag)
}

/// The idempotency key the request came with.
pub fn key(headers: &HeaderMap) -> Option<String> {
    let name = HeaderName::from_static("idempotency-key");
    // The draft standard has the key in quotes; most clients send it bare.
    text(headers, &name).map(|key| key.trim().trim_matches('"').to_owned())
}

/// A header as text.
pub fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::http::HeaderValue;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn if_match_takes_one_version() {
        for (value, version) in [
            ("\"3\"", Some(Some(3))),
            ("*", Some(None)),
            ("3", None),
            ("W/\"3\"", None),
        ] {
            let read = Expected::read(&with(header::IF_MATCH, value));
            assert_eq!(
                read.ok().map(|expected| expected.version()),
                version,
                "{value}"
            );
        }
        assert!(!Expected::read(&HeaderMap::new()).unwrap().is_some());
    }

    #[test]
    fn if_none_match_takes_a_list() {
        for (value, found) in [
            ("\"3\"", true),
            ("W/\"3\"", true),
            ("\"2\", \"3\"", true),
            ("*", true),
            ("\"4\"", false),
        ] {
            assert_eq!(
                has_tag(&with(header::IF_NONE_MATCH, value), "\"3\""),
                found,
                "{value}"
            );
        }
        assert!(!has_tag(&HeaderMap::new(), "\"3\""));
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
