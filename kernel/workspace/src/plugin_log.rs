//! Writes what plugins log to one file per plugin, where it can be read while the server runs.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use kjerne_host::{Host, Line};
use kjerne_store::registry::PluginRow;

use crate::directory::Workspace;
use crate::error::{Context as _, Result};
use crate::limits::LOG_FILE;
use crate::stderr;

/// What has been written already.
#[derive(Default)]
pub struct PluginLogs {
    written: BTreeMap<String, Vec<Line>>,
}

impl PluginLogs {
    /// Adds what is new to the files. A log that cannot be written is told about and holds nothing up.
    pub fn write(&mut self, workspace: &Workspace, host: &Host, plugins: &[PluginRow]) {
        for row in plugins {
            let lines = host.logs(&row.id);
            let before = self.written.entry(row.id.clone()).or_default();
            let new = &lines[seen(before, &lines)..];
            if let Err(error) = append(&file(workspace, &row.id), new) {
                stderr::tell(format_args!("log of {}: {error}", row.id));
            }
            *before = lines;
        }
    }
}

/// Adds a line of the kernel's own to a plugin's log: what became of what the plugin wanted.
pub(crate) fn tell(workspace: &Workspace, plugin: &str, line: Line) {
    if let Err(error) = append(&file(workspace, plugin), &[line]) {
        stderr::tell(format_args!("log of {plugin}: {error}"));
    }
}

/// How many of the lines were there before: the host keeps the last ones, so what was there is the
/// longest end of `before` that `now` begins with.
fn seen(before: &[Line], now: &[Line]) -> usize {
    let ends = (0..=before.len()).map(|from| &before[from..]);
    ends.into_iter()
        .find(|end| now.starts_with(end))
        .map_or(0, <[Line]>::len)
}

/// A plugin's log file.
#[must_use]
pub fn file(workspace: &Workspace, plugin: &str) -> PathBuf {
    workspace.dir().join("logs").join(format!("{plugin}.log"))
}

/// What a plugin has logged lately, a line for each message; empty when it has logged nothing.
///
/// # Errors
/// When the file cannot be read.
pub fn read(workspace: &Workspace, plugin: &str) -> Result<String> {
    let file = file(workspace, plugin);
    match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other.with_context(|| format!("cannot read {}", file.display())),
    }
}

fn append(file: &Path, lines: &[Line]) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::metadata(file).is_ok_and(|meta| meta.len() > LOG_FILE.value) {
        fs::rename(file, file.with_extension("log.before"))?;
    }
    let mut out = OpenOptions::new().append(true).create(true).open(file)?;
    let text: String = lines
        .iter()
        .map(|line| format!("{}\n", shown(line)))
        .collect();
    Ok(out.write_all(text.as_bytes())?)
}

/// One line per line, whatever the plugin put into it.
fn shown(line: &Line) -> String {
    let message = kjerne_model::shown::plain(&line.message);
    format!("{} {} {} {message}", line.at, line.role.name(), line.level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kjerne_core::Role;
    use kjerne_model::Instant;

    fn lines(numbers: &[i64]) -> Vec<Line> {
        let line = |number: &i64| {
            Line::new(
                Instant::from_millis(*number),
                Role::Guard,
                "info",
                "same\nwords",
            )
        };
        numbers.iter().map(line).collect()
    }

    #[test]
    fn only_new_lines_are_new() {
        for (before, now, expected) in [
            (&[][..], &[1, 2][..], 0),
            (&[1, 2], &[1, 2], 2),
            (&[1, 2], &[1, 2, 3], 2),
            (&[1, 2, 3], &[2, 3, 4], 2),
            (&[1, 2], &[7, 8], 0),
        ] {
            assert_eq!(
                seen(&lines(before), &lines(now)),
                expected,
                "{before:?} {now:?}"
            );
        }
    }

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(
            shown(&lines(&[0])[0]),
            "1970-01-01T00:00:00Z guard info same words"
        );
    }
}
