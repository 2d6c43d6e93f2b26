//! The rows of publishers, of where files come from, and of versions that wait, as bytes.

use super::damage::Damage;
use super::decoder::Decoder;
use super::encoder::Encoder;
use super::rows::Row;
use crate::rows::{KeyStanding, Origin, PublisherKey, PublisherRow, Signer, WaitingRow};

impl Row for Vec<Origin> {
    fn write(&self, out: &mut Encoder) {
        out.count(self.len());
        for origin in self {
            write_origin(out, origin);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        let count = from.count()?;
        (0..count).map(|_| read_origin(from)).collect()
    }
}

fn write_origin(out: &mut Encoder, origin: &Origin) {
    out.text(&origin.version);
    out.raw(&origin.digest);
    out.flag(origin.signer.is_some());
    if let Some(signer) = &origin.signer {
        out.text(&signer.publisher);
        out.text(&signer.key);
    }
}

fn read_origin(from: &mut Decoder<'_>) -> Result<Origin, Damage> {
    let (version, digest) = (from.text()?, from.array()?);
    let signer = if from.flag()? {
        let (publisher, key) = (from.text()?, from.text()?);
        Some(Signer { publisher, key })
    } else {
        None
    };
    Ok(Origin {
        version,
        digest,
        signer,
    })
}

impl Row for PublisherRow {
    fn write(&self, out: &mut Encoder) {
        out.text(&self.name);
        out.count(self.keys.len());
        for known in &self.keys {
            out.text(&known.key);
            out.number(match known.standing {
                KeyStanding::Trusted => 0,
                KeyStanding::Succeeded => 1,
                KeyStanding::Revoked => 2,
            });
            out.instant(known.since);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        let name = from.text()?;
        let count = from.count()?;
        let keys = (0..count).map(|_| {
            Ok(PublisherKey {
                key: from.text()?,
                standing: match from.number()? {
                    0 => KeyStanding::Trusted,
                    1 => KeyStanding::Succeeded,
                    2 => KeyStanding::Revoked,
                    other => {
                        return Err(Damage::new(format!("no key has the standing {other}")));
                    }
                },
                since: from.instant()?,
            })
        });
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(Self { name, keys })
    }
}

impl Row for WaitingRow {
    fn write(&self, out: &mut Encoder) {
        out.text(&self.plugin);
        write_origin(out, &self.origin);
        out.optional_text(self.signature.as_deref());
        out.optional_text(self.succession.as_deref());
        out.instant(self.since);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            plugin: from.text()?,
            origin: read_origin(from)?,
            signature: from.optional_text()?,
            succession: from.optional_text()?,
            since: from.instant()?,
        })
    }
}
