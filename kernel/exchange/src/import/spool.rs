//! Rows put aside until the rows they refer to are stored, in a file, so that the memory an import
//! needs does not grow with them.
//!
//! The file has no name: nobody else can open it, and it is gone when the import is, however that ended. It lies
//! beside the file that is imported, which a server has put into the workspace's own folder, or where temporary
//! files lie when that folder cannot be written.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use kjerne_workspace::error::{Context as _, Result};

use super::rows::Row;

/// A file of rows, made when the first is put aside.
pub struct Spool {
    folder: PathBuf,
    writer: Option<BufWriter<File>>,
    /// How many rows it holds.
    pub count: u64,
}

impl Spool {
    /// An empty spool beside this file.
    pub fn beside(file: &Path) -> Self {
        Self::within(file.parent().unwrap_or(Path::new("")))
    }

    /// An empty spool in the same folder.
    pub fn another(&self) -> Self {
        Self::within(&self.folder)
    }

    fn within(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            writer: None,
            count: 0,
        }
    }

    /// Puts a row aside.
    pub fn add(&mut self, row: &Row) -> Result<()> {
        let mut add = || -> io::Result<()> {
            let writer = match &mut self.writer {
                Some(writer) => writer,
                none => none.insert(BufWriter::new(unnamed(&self.folder)?)),
            };
            row.put_aside(writer)?;
            Ok(())
        };
        add().context("cannot put rows aside")?;
        self.count += 1;
        Ok(())
    }

    /// The rows from the first on; none when there is none.
    pub fn open(self) -> Result<Option<Spooled>> {
        let Some(writer) = self.writer else {
            return Ok(None);
        };
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.context("cannot put rows aside")?;
        let mut rows = Spooled {
            reader: BufReader::new(file),
            left: self.count,
            order: Vec::new().into_iter(),
            rest: 0,
        };
        rows.rewind().context("cannot read the rows put aside")?;
        Ok(Some(rows))
    }
}

/// A file without a name that only this process can read.
fn unnamed(folder: &Path) -> io::Result<File> {
    let folder = Some(folder).filter(|folder| !folder.as_os_str().is_empty());
    match folder.map(tempfile::tempfile_in) {
        Some(Ok(file)) => Ok(file),
        _ => tempfile::tempfile(),
    }
}

/// The rows of a spool.
pub struct Spooled {
    reader: BufReader<File>,
    left: u64,
    /// Where the rows lie that are read first.
    order: std::vec::IntoIter<u64>,
    /// Where the others begin.
    rest: u64,
}

impl Spooled {
    /// Reads the next row, with the line it had in the file it came from.
    pub fn read(&mut self, row: &mut Row) -> io::Result<bool> {
        self.read_sized(row).map(|bytes| bytes.is_some())
    }

    /// Reads the next row; how many bytes it takes in the spool.
    pub fn read_sized(&mut self, row: &mut Row) -> io::Result<Option<u64>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        if let Some(place) = self.order.next() {
            self.reader.seek(SeekFrom::Start(place))?;
            let bytes = row.take_back(&mut self.reader)?;
            if self.order.len() == 0 {
                self.reader.seek(SeekFrom::Start(self.rest))?;
            }
            return Ok(Some(bytes));
        }
        row.take_back(&mut self.reader).map(Some)
    }

    /// Begins again, with the rows at these places, and goes on with those from `rest` on; `count` is how many there
    /// are together.
    pub fn again(mut self, order: Vec<u64>, rest: u64, count: u64) -> io::Result<Self> {
        self.rewind()?;
        self.left = count;
        self.rest = rest;
        self.order = order.into_iter();
        Ok(self)
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.reader.rewind()
    }
}
