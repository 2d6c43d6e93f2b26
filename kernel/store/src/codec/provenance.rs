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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use kjerne_model::Instant;

    fn check<R: Row + PartialEq + std::fmt::Debug>(row: &R) {
        let mut bytes = row.encode();
        assert_eq!(&R::decode(&bytes).unwrap(), row);
        bytes.push(0);
        assert!(R::decode(&bytes).is_err(), "a byte too many: {row:?}");
        bytes.truncate(bytes.len() - 2);
        assert!(R::decode(&bytes).is_err(), "a byte too few: {row:?}");
    }

    #[test]
    fn rows_read_back_as_written() {
        let text = || "tøkst".to_owned();
        let signed = Origin {
            version: text(),
            digest: [7; 32],
            signer: Some(Signer {
                publisher: text(),
                key: text(),
            }),
        };
        let unsigned = Origin {
            signer: None,
            ..signed.clone()
        };
        check(&vec![signed.clone(), unsigned.clone()]);
        let standings = [
            KeyStanding::Trusted,
            KeyStanding::Succeeded,
            KeyStanding::Revoked,
        ];
        let keys = standings.map(|standing| PublisherKey {
            key: text(),
            standing,
            since: Instant::from_millis(-1),
        });
        check(&PublisherRow {
            name: text(),
            keys: keys.to_vec(),
        });
        for (origin, came) in [(signed, Some(text())), (unsigned, None)] {
            check(&WaitingRow {
                plugin: text(),
                origin,
                signature: came.clone(),
                succession: came,
                since: Instant::from_millis(5),
            });
        }
    }

    #[test]
    fn a_standing_nobody_gave_is_damage() {
        let row = PublisherRow {
            name: "a".to_owned(),
            keys: vec![PublisherKey {
                key: "k".to_owned(),
                standing: KeyStanding::Revoked,
                since: Instant::from_millis(0),
            }],
        };
        let mut bytes = row.encode();
        let place = bytes.iter().position(|byte| *byte == 2).unwrap();
        bytes[place] = 3;
        assert!(PublisherRow::decode(&bytes).is_err());
    }
}
