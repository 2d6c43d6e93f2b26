//! The check every stored row carries: four bytes behind the value, over space, key and value.
//!
//! The database checks its pages when the whole file is checked, and not when it is read; a byte that
//! a disk has changed meanwhile would be told as somebody's data. So every read verifies the row it
//! gives, and since the key is in the check, a row that stands under another key is found too.
//!
//! The check is CRC-32C: every change of up to 32 neighbouring bits is found for certain, any other
//! but once in four thousand million times.

use crate::error::StoreError;
use crate::key;
use crate::space::Space;

/// How many bytes the check has.
pub(crate) const BYTES: usize = 4;

/// The check of a row.
pub(crate) fn of(space: Space, key: &[u8], value: &[u8]) -> [u8; BYTES] {
    // The key's length keeps a byte from passing from the end of the key to the front of the value.
    let length = (key.len() as u32).to_le_bytes();
    let start = update(!0, &[space as u8]);
    let crc = [&length[..], key, value].into_iter().fold(start, update);
    (!crc).to_le_bytes()
}

/// The value of a row as it is stored, when its check holds.
///
/// # Errors
/// [`StoreError::Corrupt`], which names the row.
pub(crate) fn open<'a>(space: Space, key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], StoreError> {
    match stored.split_last_chunk::<BYTES>() {
        Some((value, check)) if *check == of(space, key, value) => Ok(value),
        _ => Err(StoreError::Corrupt(format!(
            "{} is not as it was written: its check does not hold; kjerne verify names all that is \
             damaged, and a backup has what it was",
            name(space, key)
        ))),
    }
}

/// What a row is, for people.
fn name(space: Space, key: &[u8]) -> String {
    let of_record = || key::split_record(key).map(|(kind, id)| format!("record {kind}/{id}"));
    let of_entry = || key::trailing_number(key).map(|number| format!("journal entry {number}"));
    let named = match space {
        Space::Records => of_record(),
        Space::Journal => of_entry(),
        _ => key::split_text(key)
            .map(|(first, _)| format!("a row of {} under {first:?}", space.name())),
    };
    named.unwrap_or_else(|| format!("a row of {}", space.name()))
}

const POLYNOMIAL: u32 = 0x82f6_3b78;

/// One table for each of sixteen bytes that are taken at a time.
const TABLES: [[u32; 256]; 16] = tables();

const fn tables() -> [[u32; 256]; 16] {
    let mut tables = [[0; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg());
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 16 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

fn update(mut crc: u32, bytes: &[u8]) -> u32 {
    let (sixteens, rest) = bytes.as_chunks::<16>();
    for sixteen in sixteens {
        let (low, high) = sixteen.split_at(8);
        let half = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let halves = [half(low) ^ u64::from(crc), half(high)];
        let at = |n: usize| (halves[n / 8] >> (8 * (n % 8))) as usize & 0xff;
        crc = (0..16).fold(0, |sum, n| sum ^ TABLES[15 - n][at(n)]);
    }
    for byte in rest {
        crc = (crc >> 8) ^ TABLES[0][((crc ^ u32::from(*byte)) & 0xff) as usize];
    }
    crc
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use kjerne_model::RecordId;
    use proptest::prelude::*;

    #[test]
    fn the_check_is_crc_32c() {
        // From RFC 3720, appendix B.4, and the check value every list of these has.
        let crc = |bytes: &[u8]| !update(!0, bytes);
        assert_eq!(crc(b"123456789"), 0xe306_9283);
        assert_eq!(crc(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn damage_names_the_record_or_the_entry() {
        let id = RecordId::from_bytes([7; 16]);
        let row = key::record("contact", id);
        let error = open(Space::Records, row.bytes(), b"no check").unwrap_err();
        assert!(
            error.to_string().contains(&format!("record contact/{id}")),
            "{error}"
        );
        let error = open(Space::Journal, &12u64.to_be_bytes(), b"").unwrap_err();
        assert!(error.to_string().contains("journal entry 12"), "{error}");
    }

    proptest! {
        #[test]
        fn one_flipped_bit_anywhere_is_found(
            key in prop::collection::vec(any::<u8>(), 0..40),
            value in prop::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut row = value.clone();
            row.extend(of(Space::Records, &key, &value));
            prop_assert_eq!(open(Space::Records, &key, &row).unwrap(), &value[..]);
            prop_assert!(open(Space::Index, &key, &row).is_err(), "another space");
            let mut all = [key.clone(), row].concat();
            let at = at.index(all.len());
            all[at] ^= 1 << bit;
            let (key, row) = all.split_at(key.len());
            prop_assert!(open(Space::Records, key, row).is_err(), "byte {} bit {}", at, bit);
        }
    }
}
