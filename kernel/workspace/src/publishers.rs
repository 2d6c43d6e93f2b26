//! Whose word a plugin's file has: its signature verified, and its key held against those known.
//!
//! The first file of a publisher pins its key (trust on first use); from then on another key is refused,
//! unless the pinned one has signed it as its successor. A key that was revoked vouches for nothing, under
//! whichever name.

use kjerne_host::signing::{PublicKey, Signature, SignatureError, Succession};
use kjerne_host::{Package, PackageError, Stage};
use kjerne_model::Instant;
use kjerne_store::{KeyStanding, Origin, PublisherKey, PublisherRow, Read, Signer, provenance};

use crate::error::{Error, Result};
use crate::limits::PUBLISHER_KEYS;

/// A plugin's file as it is offered to be installed, with what came beside it.
#[derive(Clone, Copy, Default)]
pub struct Offer<'a> {
    /// The file.
    pub bytes: &'a [u8],
    /// The text of its signature.
    pub signature: Option<&'a str>,
    /// The text of a statement by which its key succeeds the pinned one.
    pub succession: Option<&'a str>,
    /// The public key it is to be verified with, where it is known from elsewhere.
    pub public_key: Option<&'a str>,
    /// Whether it is taken although nobody signed it.
    pub unsigned: bool,
}

impl<'a> Offer<'a> {
    /// A file nobody signed, which is to be taken all the same.
    #[must_use]
    pub fn unsigned(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            unsigned: true,
            ..Self::default()
        }
    }
}

/// Whose word a file has.
pub(crate) struct Vouched {
    /// Where it comes from.
    pub origin: Origin,
    /// What is to be known of its publisher from now on, where that is something else than before.
    pub pins: Option<PublisherRow>,
}

/// Verifies the signature over the bytes as they came, before anything of them is read; with the key.
pub(crate) fn verified(read: &dyn Read, offer: &Offer<'_>) -> Result<Option<PublicKey>> {
    let size = Package::check_size(offer.bytes);
    size.map_err(|error| refused(&error))?;
    let found = verify(read, offer);
    found.map_err(|error| at(Stage::Signature, error))
}

fn verify(read: &dyn Read, offer: &Offer<'_>) -> Result<Option<PublicKey>> {
    let Some(text) = offer.signature else {
        return if offer.unsigned {
            Ok(None)
        } else {
            Err(Error::refused(
                "nobody signed the file; give its signature, FILE.wasm.minisig, or say --unsigned to take \
                 it all the same",
            ))
        };
    };
    if offer.unsigned {
        return Err(Error::unreadable(
            "--unsigned, and a signature; say one of the two",
        ));
    }
    let signature = Signature::parse(text).map_err(refusal)?;
    let key = match offer.public_key {
        Some(key) => PublicKey::parse(key).map_err(|error| Error::unreadable(error.to_string()))?,
        None => key_of(read, &signature)?,
    };
    signature.verify(&key, offer.bytes).map_err(refusal)?;
    Ok(Some(key))
}

/// The key a signature names: one that is known, or else the one its comment says.
fn key_of(read: &dyn Read, signature: &Signature) -> Result<PublicKey> {
    let rows = provenance::publishers(read)?;
    let known = rows.iter().flat_map(|row| &row.keys);
    let known = known.filter_map(|known| PublicKey::parse(&known.key).ok());
    let mut known = known.filter(|key| key.id() == signature.key_id());
    if let Some(key) = known.next() {
        return Ok(key);
    }
    match signature.claims().key {
        Some(key) => PublicKey::parse(&key).map_err(refusal),
        None => Err(Error::refused(format!(
            "the signature was made with the key {}, which is not known here; give it: --public-key KEY",
            signature.key_id()
        ))),
    }
}

/// Holds a verified key against what is known of the publisher the file names.
pub(crate) fn vouched(
    read: &dyn Read,
    offer: &Offer<'_>,
    key: Option<&PublicKey>,
    package: &Package,
    now: Instant,
) -> Result<Vouched> {
    let mut vouched = Vouched {
        origin: Origin {
            version: package.manifest.version.clone(),
            digest: package.digest,
            signer: None,
        },
        pins: None,
    };
    if let (Some(key), Some(text)) = (key, offer.signature) {
        let found = signer(read, offer, (key, text), package, now);
        let (signer, pins) = found.map_err(|error| at(Stage::Signature, error))?;
        vouched.origin.signer = Some(signer);
        vouched.pins = pins;
    } else {
        check_unsigned(read, package).map_err(|error| at(Stage::Signature, error))?;
    }
    Ok(vouched)
}

/// Refuses a file as unsigned that is known here as signed: to leave its signature out would undo that its
/// key was revoked, and hide whose it is.
fn check_unsigned(read: &dyn Read, package: &Package) -> Result<()> {
    let (id, version) = (&package.manifest.id, &package.manifest.version);
    let mut known = provenance::origins(read, id)?;
    known.extend(provenance::waiting(read, id)?.map(|waiting| waiting.origin));
    known.retain(|origin| origin.digest == package.digest);
    let publishers = provenance::publishers(read)?;
    for origin in &known {
        if let Some(signer) = &origin.signer {
            // The key of what waits is not pinned yet, and not revoked because of that.
            let standings = publishers.iter().map(|row| row.standing(&signer.key));
            if standings.flatten().any(|one| one == KeyStanding::Revoked) {
                check_standing(read, id, origin)?;
            }
            return Err(Error::refused(format!(
                "this file of {id} {version} is known here as signed by {}; install it with its signature, \
                 without --unsigned",
                signer.publisher
            )));
        }
    }
    Ok(())
}

fn signer(
    read: &dyn Read,
    offer: &Offer<'_>,
    (key, signature): (&PublicKey, &str),
    package: &Package,
    now: Instant,
) -> Result<(Signer, Option<PublisherRow>)> {
    let signature = Signature::parse(signature).map_err(refusal)?;
    signature.agrees(package).map_err(refusal)?;
    let Some(publisher) = package.manifest.publisher.clone() else {
        return Err(Error::refused(
            "the file is signed and its manifest names no publisher; add publisher = \"NAME\" to \
             kjerne.toml, build it and sign it again",
        ));
    };
    let succession = offer.succession.map(Succession::parse).transpose();
    let pins = pin(
        &provenance::publishers(read)?,
        &publisher,
        key,
        succession.map_err(refusal)?.as_ref(),
        now,
    )?;
    let key = key.text();
    Ok((Signer { publisher, key }, pins))
}

/// What is to be known of a publisher once a key signs for them; none where it is known already.
///
/// # Errors
/// When the key does not sign for them.
pub(crate) fn pin(
    known: &[PublisherRow],
    publisher: &str,
    key: &PublicKey,
    succession: Option<&Succession>,
    now: Instant,
) -> Result<Option<PublisherRow>> {
    let text = key.text();
    let revoked = |row: &&PublisherRow| row.standing(&text) == Some(KeyStanding::Revoked);
    if let Some(row) = known.iter().find(revoked) {
        return Err(Error::refused(format!(
            "the key {} of {} was revoked here; who still believes it says: kjerne plugin trust {} \
             --public-key {text}",
            key.id(),
            row.name,
            row.name
        )));
    }
    let new = PublisherKey {
        key: text.clone(),
        standing: KeyStanding::Trusted,
        since: now,
    };
    let Some(row) = known.iter().find(|row| row.name == publisher) else {
        return Ok(Some(PublisherRow {
            name: publisher.to_owned(),
            keys: vec![new],
        }));
    };
    match (row.standing(&text), row.trusted()) {
        (Some(KeyStanding::Trusted), _) => Ok(None),
        (Some(_), _) => Err(Error::refused(format!(
            "the key {} of {publisher} has been succeeded by another; have the file signed with that one",
            key.id()
        ))),
        (None, None) => Err(Error::refused(format!(
            "the keys of {publisher} were revoked here; who believes this one, {}, says: kjerne plugin \
             trust {publisher} --public-key {text}",
            key.fingerprint()
        ))),
        (None, Some(pinned)) => {
            succeeds(publisher, &pinned.key, key, succession)?;
            let mut row = row.clone();
            for known in &mut row.keys {
                if known.standing == KeyStanding::Trusted {
                    known.standing = KeyStanding::Succeeded;
                    known.since = now;
                }
            }
            add(&mut row, new)?;
            Ok(Some(row))
        }
    }
}

/// Refuses a key that was revoked for another publisher: it vouches for nothing, under whichever name.
pub(crate) fn revoked_elsewhere(
    known: &[PublisherRow],
    publisher: &str,
    key: &PublicKey,
) -> Result<()> {
    let text = key.text();
    let revoked = |row: &&PublisherRow| {
        row.name != publisher && row.standing(&text) == Some(KeyStanding::Revoked)
    };
    match known.iter().find(revoked) {
        None => Ok(()),
        Some(row) => Err(Error::refused(format!(
            "the key {} was revoked here for {}; who believes it again says first: kjerne plugin trust {} \
             --public-key {text}",
            key.id(),
            row.name,
            row.name
        ))),
    }
}

/// Checks that the pinned key has signed the other one as its successor.
fn succeeds(
    publisher: &str,
    pinned: &str,
    key: &PublicKey,
    succession: Option<&Succession>,
) -> Result<()> {
    let old = PublicKey::parse(pinned).map_err(refusal)?;
    let Some(succession) = succession else {
        return Err(Error::refused(format!(
            "{publisher} has signed with the key {} here ({}), and this file is signed with {} ({}); give \
             the statement by which the old key succeeds itself: --succession FILE; without one somebody \
             else may have signed it",
            old.id(),
            old.fingerprint(),
            key.id(),
            key.fingerprint()
        )));
    };
    if succession.successor() != key {
        return Err(Error::refused(format!(
            "the statement of succession is for the key {}, and the file is signed with {}",
            succession.successor().id(),
            key.id()
        )));
    }
    let verified = succession.verify(&old);
    verified.map_err(|error| refusal(error).during("the statement of succession does not hold"))
}

/// Adds a key to those of a publisher.
pub(crate) fn add(row: &mut PublisherRow, key: PublisherKey) -> Result<()> {
    if row.keys.len() >= PUBLISHER_KEYS.count() {
        return Err(Error::refused(format!(
            "{} has had {} keys here, which is the limit {}",
            row.name, PUBLISHER_KEYS.value, PUBLISHER_KEYS.name
        )));
    }
    row.keys.push(key);
    Ok(())
}

/// Who vouches for a file that is here, and what their key is worth now; none for one nobody signed.
pub(crate) fn standing(read: &dyn Read, origin: &Origin) -> Result<Option<KeyStanding>> {
    let Some(signer) = &origin.signer else {
        return Ok(None);
    };
    let row = provenance::publisher(read, &signer.publisher)?;
    let standing = row.and_then(|row| row.standing(&signer.key));
    // A key that is known no more vouches for nothing.
    Ok(Some(standing.unwrap_or(KeyStanding::Revoked)))
}

/// Refuses a file whose signer's key was revoked since.
pub(crate) fn check_standing(read: &dyn Read, plugin: &str, origin: &Origin) -> Result<()> {
    match (&origin.signer, standing(read, origin)?) {
        (Some(signer), Some(KeyStanding::Revoked)) => Err(Error::refused(format!(
            "{plugin} {} was signed by {}, whose key was revoked here; remove it, or believe the key again: \
             kjerne plugin trust {} --public-key {}",
            origin.version, signer.publisher, signer.publisher, signer.key
        ))),
        _ => Ok(()),
    }
}

/// An error with the stage at which a file was refused.
pub(crate) fn at(stage: Stage, error: Error) -> Error {
    error.during(format!("refused at the stage {stage}"))
}

/// What a file is refused for, with the stage.
pub(crate) fn refused(error: &PackageError) -> Error {
    at(error.stage(), Error::refused(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn refusal(error: SignatureError) -> Error {
    Error::refused(error.to_string())
}
