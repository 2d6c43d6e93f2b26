//! Rows put aside until the rows they refer to are stored, in a file, so that the memory an import
//! needs does not grow with them.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use kjerne_workspace::error::{Context as _, Result};

use super::rows::{Row, Rows};

/// A file of rows, removed when dropped.
pub struct Spool {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
    /// How many rows it holds.
    pub count: u64,
}

/// Tells the spools of one process apart.
static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Spool {
    /// Makes an empty spool.
    pub fn create() -> Result<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("kjerne-import-{}-{number}.csv", std::process::id());
        let path = std::env::temp_dir().join(name);
        let file = File::options()
            .write(true)
            .create_new(true)
            .open(&path)
            .with_context(|| format!("cannot put rows aside in {}", path.display()))?;
        let writer = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(BufWriter::new(file));
        Ok(Self {
            path,
            writer,
            count: 0,
        })
    }

    /// Puts a row aside.
    pub fn add(&mut self, row: &Row) -> io::Result<()> {
        self.writer.write_field(row.line.to_string())?;
        for field in row.fields() {
            self.writer.write_field(field)?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        self.count += 1;
        Ok(())
    }

    /// Reads the rows from the first on.
    pub fn open(&mut self) -> Result<Spooled> {
        self.writer.flush()?;
        let file = File::open(&self.path)
            .with_context(|| format!("cannot read rows put aside in {}", self.path.display()))?;
        Ok(Spooled(Rows::new(BufReader::new(file), b',')))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // A file left behind in the temporary folder does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The rows of a spool.
pub struct Spooled(Rows<BufReader<File>>);

impl Spooled {
    /// Reads the next row, with the line it had in the file it came from.
    pub fn read(&mut self, row: &mut Row) -> std::io::Result<bool> {
        if !self.0.read(row)? {
            return Ok(false);
        }
        let line = row.take_first();
        let line = std::str::from_utf8(&line)
            .ok()
            .and_then(|line| line.parse().ok());
        row.line = line.unwrap_or(row.line);
        Ok(true)
    }
}
