//! The body of an import: one line of JSON that says how, and behind it the file as it is. The file
//! is put aside on the disk as it comes, so that the memory a request needs does not grow with it.

use std::io::Write as _;

use axum::body::{Body, Bytes};
use kjerne_exchange::limits::IMPORT_FILE;
use kjerne_workspace::Workspace;
use tempfile::NamedTempFile;

use crate::body::Pieces;
use crate::limits::{IMPORT_LINE, JSON_VALUES};
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
    let mut body = Pieces::long(body);
    let mut line = Vec::new();
    let rest = loop {
        let Some(piece) = body.next().await? else {
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
    let line = kjerne_wire::json::parse(line, &JSON_VALUES).map_err(|error| {
        Problem::bad_request(format!("the line before the file is no JSON: {error}"))
    })?;
    let words = kjerne_wire::object(&line, &["mapping"])?;
    Ok(kjerne_wire::optional_text(words, "mapping")?.map(str::to_owned))
}

async fn put_aside(
    first: Bytes,
    body: &mut Pieces,
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
        match body.next().await? {
            Some(next) => piece = next,
            None => return Ok(file),
        }
    }
}
