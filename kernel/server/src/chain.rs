//! What a request that is a message of a workspace says of the chain it belongs to: what it leads to is
//! counted on from there, so that a plugin that sends to its own server comes to an end.

use axum::http::{HeaderMap, HeaderName};
use kjerne_model::Cause;
use kjerne_store::Link;
use kjerne_workspace::chain;

use crate::headers::single;
use crate::problem::Problem;

/// The place of the message in its chain; none when the request begins one.
///
/// # Errors
/// When the header cannot be read.
pub(crate) fn link(headers: &HeaderMap) -> Result<Option<Link>, Problem> {
    let name = HeaderName::from_static(chain::HEADER);
    let Some(text) = single(headers, &name)? else {
        return Ok(None);
    };
    let link = chain::read(text).ok_or_else(|| {
        Problem::bad_request(format!(
            "{name} reads depth=NUMBER, follow-ups=NUMBER; leave it out, it is set by the kernel"
        ))
    })?;
    Ok(Some(link))
}

/// The cause of a commit that came in a message; none when nobody's message led to it.
///
/// # Errors
/// When the header cannot be read.
pub(crate) fn cause(headers: &HeaderMap) -> Result<Option<Cause>, Problem> {
    let cause = |link: Link| Cause {
        entry: link.entry,
        depth: link.depth + 1,
        follow_ups: Some(link.follow_ups),
    };
    Ok(link(headers)?.map(cause))
}
