//! The body of an import: one line of JSON that says how, and behind it the file as it is. The file
//! is put aside on the disk as it comes, so that the memory a request needs does not grow with it.

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody as _};
use kjerne_exchange::limits::IMPORT_FILE;
use kjerne_workspace::Workspace;
use tempfile::NamedTempFile;

use crate::limits::IMPORT_LINE;
use crate::problem::Problem;

/// What an import was given.
pub(crate) struct ImportBody {
    /// The text of the mapping, when there was one.
    pub(crate) mapping: Option<String>,
    /// The file, gone when this is dropped.
    pub(crate) file: NamedTempFile,
}

/// Reads the line `{"mapping"?: TEXT}` and puts the rest aside.
pub(crate) async fn read(body: Body, workspace: &Workspace) -> Result<ImportBody, Problem> {
    let mut body = body;
    let mut line = Vec::new();
    let rest = loop {
        let Some(piece) = next(&mut body).await? else {
            return Err(Problem::bad_request(
                "the body is a line of JSON, such as {\"mapping\": TEXT} or {}, and then the file",
            ));
        };
        match piece.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                line.extend_from_slice(&piece[..end]);
                break piece.slice(end + 1..);
            }
            None => line.extend_from_slice(&piece),
        }
        if line.len() > IMPORT_LINE.count() {
            break Bytes::new();
        }
    };
    if line.len() > IMPORT_LINE.count() {
        return Err(Problem::too_large("line before the file", &IMPORT_LINE));
    }
    let mapping = mapping(&line)?;
    let file = put_aside(rest, &mut body, workspace).await?;
    Ok(ImportBody { mapping, file })
}

fn mapping(line: &[u8]) -> Result<Option<String>, Problem> {
    let line = kjerne_wire::parse_json(line).map_err(|error| {
        Problem::bad_request(format!("the line before the file is no JSON: {error}"))
    })?;
    let words = kjerne_wire::object(&line, &["mapping"])?;
    Ok(kjerne_wire::optional_text(words, "mapping")?.map(str::to_owned))
}

async fn put_aside(
    first: Bytes,
    body: &mut Body,
    workspace: &Workspace,
) -> Result<NamedTempFile, Problem> {
    let mut file = workspace.scratch_file()?;
    let (mut piece, mut count) = (first, 0);
    loop {
        count += piece.len() as u64;
        if count > IMPORT_FILE.value {
            return Err(Problem::too_large("file", &IMPORT_FILE));
        }
        file.write_all(&piece)
            .map_err(|error| Problem::internal(format!("the file cannot be put aside: {error}")))?;
        match next(body).await? {
            Some(next) => piece = next,
            None => return Ok(file),
        }
    }
}

/// The next piece of a body; none at its end.
async fn next(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
        let frame =
            frame.map_err(|error| Problem::bad_request(format!("the body broke off: {error}")))?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}
