//! Errors as RFC 9457 problems, with every refusal in them.

use std::io;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kjerne_core::Fault;
use kjerne_core::limits::Limit;
use kjerne_model::{Code, Refusal};
use kjerne_store::{Halt, StoreError};
use serde_json::{Value as Json, json};

use kjerne_workspace::Error;

/// Something that was not done, and why.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    /// The last part of the problem's type.
    name: &'static str,
    title: &'static str,
    detail: String,
    refusals: Vec<Json>,
}

impl Problem {
    /// A problem without refusals.
    pub fn new(
        status: StatusCode,
        name: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            name,
            title,
            detail: detail.into(),
            refusals: Vec::new(),
        }
    }

    /// A request that cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The request cannot be read",
            detail,
        )
    }

    /// A part of a request that is larger than it may be.
    pub fn too_large(part: &str, limit: &Limit) -> Self {
        let (most, name) = (limit.value, limit.name);
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is too large",
            format!("the {part} has more than {most} bytes (limit {name})"),
        )
    }

    /// Something that is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such thing",
            detail,
        )
    }

    /// A commit that was refused.
    pub fn refused(refusals: &[Refusal]) -> Self {
        let Some(first) = refusals.first() else {
            return Self::internal("a commit was refused without a reason");
        };
        let detail = match refusals.len() {
            1 => first.message.clone(),
            count => format!("{} (and {} more, in refusals)", first.message, count - 1),
        };
        Self {
            status: status(first),
            name: first.code.name(),
            title: title(first.code),
            detail,
            refusals: kjerne_wire::refusals(refusals),
        }
    }

    /// The same problem, when the request said which version it was for.
    pub fn with_precondition(mut self, asked: bool) -> Self {
        if asked && self.name == Code::StaleVersion.name() {
            self.status = StatusCode::PRECONDITION_FAILED;
        }
        self
    }

    /// Whether another version of the record might be what was meant: this one was not there, or the key
    /// was used with another.
    pub fn is_another_version(&self) -> bool {
        [Code::StaleVersion, Code::KeyReused]
            .iter()
            .any(|code| code.name() == self.name)
    }

    /// A precondition that names nothing a change could rest on.
    pub fn no_strong_tag() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            Code::StaleVersion.name(),
            title(Code::StaleVersion),
            "If-Match names weak tags alone, which match nothing where something is changed; send the \
             ETag as it is",
        )
    }

    /// A record that is looked at has another version than was asked for.
    pub fn another_version(version: u64) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            Code::StaleVersion.name(),
            title(Code::StaleVersion),
            format!("the record has version {version}, which If-Match does not name"),
        )
    }

    /// Something that failed on our side.
    pub fn internal(detail: impl Into<String>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, "internal", "The server failed", detail)
    }

    /// The problem document.
    pub fn json(&self) -> Json {
        let mut body = json!({
            "type": format!("urn:kjerne:problem:{}", self.name),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.refusals.is_empty() {
            body["refusals"] = json!(self.refusals);
        }
        body
    }

    fn of_halt(halt: &Halt) -> Self {
        let detail = halt.to_string();
        match halt {
            Halt::TooMuch(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too-much",
                "The answer takes too much work",
                detail,
            ),
            Halt::Stopping | Halt::Unwanted => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "stopping",
                "The answer was not looked for to the end",
                detail,
            ),
        }
    }

    fn of_store(error: &StoreError) -> Self {
        let (status, name) = match error {
            StoreError::Halted(halt) => return Self::of_halt(halt),
            StoreError::Full(_) => (StatusCode::INSUFFICIENT_STORAGE, "disk-full"),
            StoreError::ReadOnly(_) => (StatusCode::SERVICE_UNAVAILABLE, "read-only"),
            StoreError::Unknown(_) => (StatusCode::INTERNAL_SERVER_ERROR, "outcome-unknown"),
            StoreError::Corrupt(_) => (StatusCode::INTERNAL_SERVER_ERROR, "damaged"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "storage"),
        };
        Self::new(status, name, "Storage failed", error.to_string())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error.root() {
            Error::Commit(refusals) => Self::refused(refusals),
            Error::Store(store) => {
                let mut problem = Self::of_store(store);
                // What was under way belongs to it: an import that stops has stored what came before.
                problem.detail = detail;
                problem
            }
            Error::Unreadable(_) => Self::bad_request(detail),
            Error::NotFound(_) => Self::not_found(detail),
            Error::Refused(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "refused",
                "Refused",
                detail,
            ),
            Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "disk-full",
                "Storage failed",
                detail,
            ),
            Error::Io(_) | Error::Failed(_) | Error::During { .. } => Self::internal(detail),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}

impl From<Vec<Refusal>> for Problem {
    fn from(refusals: Vec<Refusal>) -> Self {
        Self::refused(&refusals)
    }
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal.code {
        Code::BadCommit => StatusCode::BAD_REQUEST,
        Code::NotAllowed => StatusCode::FORBIDDEN,
        Code::UnknownKind | Code::UnknownRecord => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::StaleVersion | Code::Duplicate | Code::StillReferenced => {
            StatusCode::CONFLICT
        }
        // The contract's name for a message whose sender got it wrong.
        Code::PluginFault if refusal.reason.as_deref() == Some("failed:bad-message") => {
            StatusCode::BAD_REQUEST
        }
        // Nobody failed: too much is going on.
        Code::PluginFault if refusal.reason.as_deref() == Some(Fault::BUSY) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::PluginFault => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Contention => StatusCode::SERVICE_UNAVAILABLE,
        // Whoever sent the message need not try again.
        Code::TooDeep => StatusCode::LOOP_DETECTED,
        Code::KeyReused
        | Code::UnknownField
        | Code::WrongType
        | Code::InvalidValue
        | Code::Required
        | Code::UnknownReference
        | Code::Guard
        | Code::CannotWait => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn title(code: Code) -> &'static str {
    match code {
        Code::BadCommit => "The request cannot be read as a commit",
        Code::KeyReused => "The idempotency key was used for another request",
        Code::TooDeep => "The chain of reactions is too long",
        Code::NotAllowed => "Not allowed",
        Code::UnknownKind => "There is no such kind",
        Code::UnknownRecord => "There is no such record",
        Code::AlreadyExists => "There is such a record already",
        Code::StaleVersion => "The record has changed since it was read",
        Code::UnknownField => "There is no such field",
        Code::PluginFault => "A plugin failed",
        Code::WrongType => "A value is of the wrong type",
        Code::InvalidValue => "A value is not allowed",
        Code::Required => "A required field is empty",
        Code::UnknownReference => "A reference points nowhere",
        Code::Duplicate => "The value is taken",
        Code::StillReferenced => "Other records refer to the record",
        Code::Guard => "Refused by a rule",
        Code::CannotWait => "It needs approval, and cannot wait for it",
        Code::Contention => "Too many changes at the same time",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.json();
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        let form = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, form);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"kjerne\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_status() {
        let refused = |code| Error::from(vec![Refusal::new(code, "no")]);
        let cases: [(Error, u16); 16] = [
            (refused(Code::BadCommit), 400),
            (refused(Code::NotAllowed), 403),
            (refused(Code::UnknownRecord), 404),
            (refused(Code::Duplicate), 409),
            (refused(Code::StaleVersion), 409),
            (refused(Code::Guard), 422),
            (refused(Code::Required), 422),
            (refused(Code::KeyReused), 422),
            (refused(Code::PluginFault), 500),
            (refused(Code::Contention), 503),
            (Error::unreadable("what"), 400),
            (Error::not_found("it"), 404),
            (StoreError::Full("no space".into()).into(), 507),
            (
                StoreError::ReadOnly("an earlier write failed".into()).into(),
                503,
            ),
            (StoreError::Halted(Halt::TooMuch("rows".into())).into(), 422),
            (StoreError::Halted(Halt::Stopping).into(), 503),
        ];
        for (error, status) in cases {
            let shown = error.to_string();
            assert_eq!(Problem::from(error).status.as_u16(), status, "{shown}");
        }
    }

    #[test]
    fn a_plugin_that_found_no_place_is_asked_again_later() {
        let fault = |reason| Refusal::new(Code::PluginFault, "no").by("some", reason);
        for (reason, status) in [("busy", 503), ("fuel", 500), ("failed:bad-message", 400)] {
            let problem = Problem::refused(&[fault(reason)]);
            assert_eq!(problem.status.as_u16(), status, "{reason}");
        }
    }

    #[test]
    fn a_stale_version_fails_the_precondition_only_when_there_was_one() {
        let stale = || Problem::refused(&[Refusal::new(Code::StaleVersion, "version 2 by now")]);
        assert_eq!(
            stale().with_precondition(true).status,
            StatusCode::PRECONDITION_FAILED
        );
        assert_eq!(
            stale().with_precondition(false).status,
            StatusCode::CONFLICT
        );
    }
}
