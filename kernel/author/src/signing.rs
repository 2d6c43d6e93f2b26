//! Keys and signatures on an author's machine: made, and kept in files beside what they are for.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use kjerne_host::Package;
use kjerne_host::package_limits::SIGNATURE;
use kjerne_host::signing::{
    PublicKey, SUFFIX, SecretKey, SecretKeyError, Signature, key_pair, sign, succeed,
};
use kjerne_workspace::error::{Context as _, Error, Result};
use kjerne_workspace::plugin_registry::read_package;

/// The files of a new key.
pub struct KeyFiles {
    /// The public key, for everybody.
    pub public: PathBuf,
    /// The secret key, for its owner's eyes alone.
    pub secret: PathBuf,
    /// The statement by which the old key succeeds itself.
    pub succession: Option<PathBuf>,
    /// The public key.
    pub key: PublicKey,
}

/// A file that was signed or verified.
pub struct Signed {
    /// Where its signature lies.
    pub signature: PathBuf,
    /// The trusted comment of the signature.
    pub comment: String,
    /// The id of the key.
    pub key_id: String,
    /// What was signed.
    pub package: Package,
}

/// Makes a key: `NAME.key`, which only its owner may read, and `NAME.pub`; with the key it succeeds, also
/// `NAME.pub.minisig`, in which that key says so.
///
/// # Errors
/// When a file is there already or cannot be written, or the password is none.
pub fn make_key(name: &Path, password: Option<&str>, old: Option<&SecretKey>) -> Result<KeyFiles> {
    let (secret, public) = (with_ending(name, "key"), with_ending(name, "pub"));
    for path in [&secret, &public] {
        if path.exists() {
            return Err(Error::refused(format!(
                "{} is there already, and a key that is written over is lost; name another",
                path.display()
            )));
        }
    }
    let (key, text) = key_pair(password).map_err(wrong)?;
    let statement = old.map(|old| succeed(old, &key)).transpose();
    let statement = statement.map_err(wrong)?;
    write(&secret, text.as_bytes(), true)?;
    write(&public, key.file().as_bytes(), false)?;
    let succession = statement.is_some().then(|| with_ending(&public, SUFFIX));
    if let (Some(path), Some(text)) = (&succession, statement) {
        write(path, text.as_bytes(), false)?;
    }
    Ok(KeyFiles {
        public,
        secret,
        succession,
        key,
    })
}

/// Reads the text of a key or a signature.
///
/// # Errors
/// When the file cannot be read, or is longer than any.
pub fn read_text(file: &Path) -> Result<String> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        File::open(file)?
            .take(SIGNATURE.value + 1)
            .read_to_string(&mut text)?;
        Ok(text)
    };
    match read() {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::not_found(format!(
            "there is no file {}",
            file.display()
        ))),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Opens a secret key; for its password is asked when it has one.
///
/// # Errors
/// When the file is no secret key, or the password is not its own.
pub fn open_key(file: &Path, password: impl FnOnce() -> Result<String>) -> Result<SecretKey> {
    let text = read_text(file)?;
    let named = |error| wrong(error).during(file.display().to_string());
    let password = if SecretKey::has_password(&text).map_err(named)? {
        Some(password()?)
    } else {
        None
    };
    SecretKey::read(&text, password.as_deref()).map_err(named)
}

/// Signs a plugin's file: `FILE.wasm.minisig` beside it, over one that was there.
///
/// # Errors
/// When it is no plugin, names no publisher, or its signature cannot be written.
pub fn sign_file(file: &Path, key: &SecretKey) -> Result<Signed> {
    let package = package(file)?;
    if package.manifest.publisher.is_none() {
        return Err(Error::refused(format!(
            "the manifest of {} names no publisher, and a signed file without one is not installed; add \
             publisher = \"NAME\" to kjerne.toml and build it again",
            file.display()
        )));
    }
    let text = sign(key, &package).map_err(wrong)?;
    let signature = with_ending(file, SUFFIX);
    // The one before is of the same file, or of one that is no more.
    let _ = std::fs::remove_file(&signature);
    write(&signature, text.as_bytes(), false)?;
    let read = Signature::parse(&text).map_err(|error| Error::failed(error.to_string()))?;
    Ok(signed(signature, &read, package))
}

/// Verifies the signature of a plugin's file: the one beside it, or another.
///
/// # Errors
/// When it does not hold, or says something else than the file.
pub fn verify_file(file: &Path, signature: Option<&Path>, key: &PublicKey) -> Result<Signed> {
    let beside = with_ending(file, SUFFIX);
    let signature = signature.unwrap_or(&beside);
    let refused = |error: kjerne_host::signing::SignatureError| Error::refused(error.to_string());
    let read = Signature::parse(&read_text(signature)?).map_err(refused)?;
    let bytes = bytes(file)?;
    read.verify(key, &bytes).map_err(refused)?;
    let package = read_package(&bytes)?;
    read.agrees(&package).map_err(refused)?;
    Ok(signed(signature.to_owned(), &read, package))
}

fn signed(signature: PathBuf, read: &Signature, package: Package) -> Signed {
    Signed {
        signature,
        comment: read.comment().to_owned(),
        key_id: read.key_id(),
        package,
    }
}

fn package(file: &Path) -> Result<Package> {
    read_package(&bytes(file)?)
}

fn bytes(file: &Path) -> Result<Vec<u8>> {
    Package::bytes_of(file).with_context(|| format!("cannot read {}", file.display()))
}

/// A path with an ending behind all it has.
#[must_use]
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    PathBuf::from(name)
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn wrong(error: SecretKeyError) -> Error {
    match error {
        SecretKeyError::Failed(_) => Error::failed(error.to_string()),
        _ => Error::unreadable(error.to_string()),
    }
}

/// Writes a file that is not there yet; a secret one for its owner's eyes alone, from its first byte on.
fn write(path: &Path, bytes: &[u8], secret: bool) -> Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = secret;
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_key_is_for_its_owner_and_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("acme");
        let files = make_key(&name, None, None).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&files.secret)
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let first = std::fs::read(&files.secret).unwrap();
        let again = make_key(&name, None, None)
            .err()
            .map(|error| error.to_string());
        assert!(again.is_some_and(|told| told.contains("is there already")));
        assert_eq!(std::fs::read(&files.secret).unwrap(), first);
        let read = open_key(&files.secret, || panic!("it has no password")).unwrap();
        assert_eq!(read.public().unwrap(), files.key);
    }

    #[test]
    fn no_message_holds_a_password() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("acme");
        let files = make_key(&name, Some("correct horse"), None).unwrap();
        let told = open_key(&files.secret, || Ok("battery staple".to_owned()));
        let told = told
            .err()
            .map(|error| format!("{error} {error:?}"))
            .unwrap();
        assert!(
            told.contains("the password is not the one of this key"),
            "{told}"
        );
        assert!(
            !told.contains("battery") && !told.contains("correct"),
            "{told}"
        );
        assert!(open_key(&files.secret, || Ok("correct horse".to_owned())).is_ok());
    }
}
