//! The socket in the workspace's directory, by which its owner's commands reach a running server.
//!
//! Only the owner gets in: the socket's file is theirs alone, and so is who is at its other end, which
//! the system tells.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use axum::serve::Listener;
use kjerne_workspace::Workspace;
use kjerne_workspace::error::{Context as _, Result};
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};

/// The longest path of a socket that every system takes.
const LONGEST: usize = 100;

/// Listens on the workspace's socket and lets in its owner alone.
pub(crate) struct OwnerListener {
    listener: UnixListener,
    file: PathBuf,
    owner: u32,
}

impl OwnerListener {
    /// Begins to listen. To be called by who holds the workspace: a socket that is there already was
    /// left behind by a server that is gone.
    pub(crate) fn bind(workspace: &Workspace) -> Result<Self> {
        let file = workspace.socket();
        let bind = || -> io::Result<Self> {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let near = Near::to(&file)?;
            let listener = UnixListener::bind(&near.path)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            // Whose the directory is, theirs is the workspace, whoever started the server.
            let owner = fs::metadata(workspace.dir())?.uid();
            if fs::metadata(&file)?.uid() != owner {
                chown(&file, Some(owner), None)?;
            }
            Ok(Self {
                listener,
                file: file.clone(),
                owner,
            })
        };
        bind().with_context(|| format!("cannot listen on {}", file.display()))
    }

    fn admits(&self, stream: &UnixStream) -> bool {
        // The system's administrator may read the data file as well.
        let known = |peer: tokio::net::unix::UCred| peer.uid() == self.owner || peer.uid() == 0;
        stream.peer_cred().is_ok_and(known)
    }
}

impl Listener for OwnerListener {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if self.admits(&stream) {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Drop for OwnerListener {
    fn drop(&mut self) {
        // A socket left behind is removed by the next server.
        let _ = fs::remove_file(&self.file);
    }
}

/// Reaches the server that listens on the workspace's socket.
///
/// # Errors
/// When none does.
pub async fn connect(workspace: &Workspace) -> io::Result<UnixStream> {
    UnixStream::connect(&Near::to(&workspace.socket())?.path).await
}

/// A path to a file that is short enough for a socket: its own, or one by way of its open directory.
struct Near {
    path: PathBuf,
    _directory: Option<fs::File>,
}

impl Near {
    fn to(file: &Path) -> io::Result<Self> {
        let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        if file.as_os_str().len() <= LONGEST {
            return Ok(Self {
                path: file.to_owned(),
                _directory: None,
            });
        }
        if !cfg!(target_os = "linux") {
            return Err(io::Error::other(
                "the path is too long for a socket; move the workspace to a shorter one",
            ));
        }
        use std::os::fd::AsRawFd as _;
        let directory = fs::File::open(directory)?;
        Ok(Self {
            path: Path::new("/proc/self/fd")
                .join(directory.as_raw_fd().to_string())
                .join(name),
            _directory: Some(directory),
        })
    }
}
