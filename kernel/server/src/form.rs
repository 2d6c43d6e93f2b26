//! A form with a file, as browsers and the command line send it. The file is put aside on the disk,
//! so that the memory a request needs does not grow with it.

use std::io::Write as _;

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use kjerne_exchange::limits::IMPORT_FILE;
use kjerne_workspace::Workspace;
use tempfile::NamedTempFile;

use crate::limits::FORM_PART;
use crate::problem::Problem;

/// What a form held.
pub(crate) struct Form {
    /// The text of the mapping, when there was one.
    pub(crate) mapping: Option<String>,
    /// The file, gone when this is dropped.
    pub(crate) file: NamedTempFile,
}

/// Reads a form: the part `mapping`, which may be absent, and then the part `file`.
pub(crate) async fn read(mut parts: Multipart, workspace: &Workspace) -> Result<Form, Problem> {
    let mut mapping = None;
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        match part.name().unwrap_or_default() {
            "mapping" if mapping.is_none() => mapping = Some(text(part).await?),
            "file" => {
                let file = put_aside(part, workspace).await?;
                return Ok(Form { mapping, file });
            }
            other => {
                let detail = format!("the form has {other:?}; it takes mapping, then file");
                return Err(Problem::bad_request(detail));
            }
        }
    }
    Err(Problem::bad_request("the form has no part called file"))
}

fn broken(error: impl std::fmt::Display) -> Problem {
    Problem::bad_request(format!("the form cannot be read: {error}"))
}

async fn text(mut part: Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(broken)? {
        if bytes.len() + piece.len() > FORM_PART.count() {
            return Err(Problem::too_large("mapping", &FORM_PART));
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| Problem::bad_request("the mapping is not UTF-8"))
}

async fn put_aside(mut part: Field<'_>, workspace: &Workspace) -> Result<NamedTempFile, Problem> {
    let failed =
        |error: std::io::Error| Problem::internal(format!("the file cannot be put aside: {error}"));
    let mut file = workspace.scratch_file()?;
    let mut bytes = 0;
    while let Some(piece) = part.chunk().await.map_err(broken)? {
        bytes += piece.len() as u64;
        if bytes > IMPORT_FILE.value {
            return Err(Problem::too_large("file", &IMPORT_FILE));
        }
        file.write_all(&piece).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    Ok(file)
}
