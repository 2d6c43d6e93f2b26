//! The body of an import: one line of JSON that says how, and behind it the file as it is. The file
//! is put aside on the disk as it comes, so that the memory a request needs does not grow with it.

use std::io::Write as _;

use axum::body::Bytes;
use kjerne_exchange::limits::IMPORT_FILE;
use kjerne_workspace::{Error, Workspace};
use tempfile::NamedTempFile;

use crate::body::Pieces;
use crate::limits::{IMPORT_LINE, JSON_VALUES};
use crate::problem::Problem;

/// What the line before the file says.
pub(crate) struct Told {
    /// The text of the mapping, when there is one.
    pub(crate) mapping: Option<String>,
    /// What the file is called, for what is told of it.
    pub(crate) name: Option<String>,
    /// The beginning of the file, which came with the line.
    rest: Bytes,
}

/// Reads the line `{"mapping"?: TEXT, "name"?: TEXT}`.
pub(crate) async fn told(body: &mut Pieces) -> Result<Told, Problem> {
    let mut line = Vec::new();
    loop {
        let Some(piece) = body.next().await? else {
            return Err(Problem::bad_request(
                "the body is a line of JSON, such as {\"mapping\": TEXT} or {}, and then the file",
            ));
        };
        let end = piece.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
        if line.len() > IMPORT_LINE.count() {
            return Err(Problem::too_large("line before the file", &IMPORT_LINE));
        }
        if let Some(end) = end {
            return read_line(&line, piece.slice(end + 1..));
        }
    }
}

fn read_line(line: &[u8], rest: Bytes) -> Result<Told, Problem> {
    let line = kjerne_wire::json::parse(line, &JSON_VALUES).map_err(|error| {
        Problem::bad_request(format!("the line before the file is no JSON: {error}"))
    })?;
    let words = kjerne_wire::object(&line, &["mapping", "name"])?;
    let text = |name| Ok::<_, Problem>(kjerne_wire::optional_text(words, name)?.map(str::to_owned));
    Ok(Told {
        mapping: text("mapping")?,
        name: text("name")?,
        rest,
    })
}

/// Puts the file behind the line aside; it is gone when what is returned is dropped.
pub(crate) async fn put_aside(
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
            .map_err(|error| Error::from(error).during("the file cannot be put aside"))?;
        match body.next().await? {
            Some(next) => piece = next,
            None => return Ok(file),
        }
    }
}

impl Told {
    /// The beginning of the file.
    pub(crate) fn rest(&self) -> Bytes {
        self.rest.clone()
    }
}

/// Reads what is left of a body and forgets it: who is still sending would not read why it was
/// refused.
pub(crate) async fn drain(body: &mut Pieces) {
    let mut count = 0;
    while let Ok(Some(piece)) = body.next().await {
        count += piece.len() as u64;
        if count > IMPORT_FILE.value {
            return;
        }
    }
}
