//! The cursors of reports: a plugin's own words for where the next page begins, sealed with the workspace's key.
//!
//! A plugin believes what it is handed back, so that nobody else may write a cursor, and one of another report,
//! of other arguments, or of the plugin before its settings or version changed, must not be taken for one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Bytes of a seal that a cursor carries: as many as nobody tries out.
const SEAL_BYTES: usize = 16;

/// Where a page begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// How many pages there were before it.
    pub pages: u64,
    /// The journal's last entry when the page before was read.
    pub journal: u64,
    /// Where the plugin goes on.
    pub after: String,
}

/// Seals the cursors of one report with its arguments.
pub struct Seal(Hmac<Sha256>);

impl Seal {
    /// A seal for the cursors of what these parts say: plugin, version, settings, report, arguments.
    pub fn of(key: &[u8; 32], parts: &[&str]) -> Self {
        // As HMAC does itself with a key that is shorter than a block.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(b"report-cursor");
        for part in parts {
            add(&mut mac, part);
        }
        Self(mac)
    }

    /// Writes a cursor.
    pub fn write(&self, place: &Place) -> String {
        let said = format!("{}.{}.{}", place.pages, place.journal, place.after);
        let mut mac = self.0.clone();
        add(&mut mac, &said);
        let mut bytes = mac.finalize().into_bytes()[..SEAL_BYTES].to_vec();
        bytes.extend_from_slice(said.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor; none when it was not written with this seal.
    pub fn read(&self, cursor: &str) -> Option<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (seal, said) = bytes.split_at_checked(SEAL_BYTES)?;
        let said = std::str::from_utf8(said).ok()?;
        let mut mac = self.0.clone();
        add(&mut mac, said);
        mac.verify_truncated_left(seal).ok()?;
        let mut parts = said.splitn(3, '.');
        Some(Place {
            pages: parts.next()?.parse().ok()?,
            journal: parts.next()?.parse().ok()?,
            after: parts.next()?.to_owned(),
        })
    }
}

/// Adds a part with its length, so that no two lists of parts read the same.
fn add(mac: &mut Hmac<Sha256>, part: &str) {
    mac.update(&(part.len() as u64).to_le_bytes());
    mac.update(part.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn place(after: &str) -> Place {
        Place {
            pages: 3,
            journal: 12,
            after: after.to_owned(),
        }
    }

    #[test]
    fn a_cursor_is_read_back_as_it_was_written() {
        let seal = Seal::of(&KEY, &["p", "0.1.0", "1", "r", "{}"]);
        for after in ["", "2026-03", "a.b.c", "æøå \u{1b}"] {
            assert_eq!(seal.read(&seal.write(&place(after))), Some(place(after)));
        }
    }

    #[test]
    fn a_cursor_of_anything_else_is_none() {
        let parts = ["p", "0.1.0", "1", "r", "{}"];
        let seal = Seal::of(&KEY, &parts);
        let cursor = seal.write(&place("x"));
        for (part, _) in parts.iter().enumerate() {
            let mut others = parts;
            others[part] = "z";
            assert_eq!(Seal::of(&KEY, &others).read(&cursor), None, "part {part}");
        }
        assert_eq!(Seal::of(&[8; 32], &parts).read(&cursor), None);
        assert_eq!(
            Seal::of(&KEY, &["p0", ".1.0", "1", "r", "{}"]).read(&cursor),
            None
        );
        for other in [
            "",
            "AAAA",
            "x y",
            &cursor[..cursor.len() - 2],
            &format!("{cursor}AA"),
        ] {
            assert_eq!(seal.read(other), None, "{other:?}");
        }
        for at in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!(seal.read(&forged), None, "{at}");
        }
    }
}
