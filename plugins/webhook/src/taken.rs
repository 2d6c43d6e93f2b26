//! Remembers which messages were taken, so that one that is sent twice is taken once, and one that
//! uses the name of another is refused.
//!
//! Names are kept as digests in the plugin's own key space, in drawers of a bounded size: of each
//! drawer the newest stay. A message touches the drawers of its own names only, so that messages that
//! come at the same time do not get into each other's way.

use std::collections::BTreeMap;

use kjerne_sdk::{Failure, state};

/// How many drawers there are.
const DRAWERS: u64 = 2_048;

/// How many names a drawer holds; all of them together come to half a million.
const NAMES: usize = 256;

/// The bytes of a name and of what it was used for.
const NAME: usize = 16;
const ENTRY: usize = NAME + 8;

/// What is known of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// It is new.
    New,
    /// It was used for the same before.
    Again,
    /// It was used for something else.
    Otherwise,
}

/// The drawers that this call has opened.
#[derive(Default)]
pub struct Taken {
    drawers: BTreeMap<String, (Vec<u8>, bool)>,
}

impl Taken {
    /// What is known of a name; a new one is known from now on to stand for `content`.
    pub fn note(&mut self, name: &str, content: &[u8]) -> Result<Seen, Failure> {
        let name = digest(name.as_bytes());
        let content = fnv(content, OFFSETS[0]).to_be_bytes();
        let (drawer, is_changed) = self.drawer(&name)?;
        let known = drawer
            .chunks_exact(ENTRY)
            .find(|entry| entry[..NAME] == name);
        if let Some(entry) = known {
            return Ok(if entry[NAME..] == content {
                Seen::Again
            } else {
                Seen::Otherwise
            });
        }
        let surplus = (drawer.len() / ENTRY + 1).saturating_sub(NAMES);
        drawer.drain(..surplus * ENTRY);
        drawer.extend(name);
        drawer.extend(content);
        *is_changed = true;
        Ok(Seen::New)
    }

    /// Keeps what was noted, when the call succeeds.
    pub fn keep(self) -> Result<(), Failure> {
        let changed = self
            .drawers
            .iter()
            .filter(|(_, (_, is_changed))| *is_changed);
        changed
            .into_iter()
            .try_for_each(|(key, (drawer, _))| state::set(key, drawer))
    }

    fn drawer(&mut self, name: &[u8; NAME]) -> Result<&mut (Vec<u8>, bool), Failure> {
        let place = (u64::from(name[0]) << 8 | u64::from(name[1])) % DRAWERS;
        let key = format!("taken/{place}");
        if !self.drawers.contains_key(&key) {
            let kept = state::get(&key)?.unwrap_or_default();
            self.drawers.insert(key.clone(), (kept, false));
        }
        Ok(self.drawers.entry(key).or_default())
    }
}

const OFFSETS: [u64; 2] = [0xcbf2_9ce4_8422_2325, 0x9ae1_6a3b_2f90_404f];

/// Two digests with different beginnings: chance does not give two names the same.
fn digest(bytes: &[u8]) -> [u8; NAME] {
    let mut digest = [0; NAME];
    let halves = OFFSETS.map(|offset| fnv(bytes, offset).to_be_bytes());
    for (to, from) in digest.iter_mut().zip(halves.iter().flatten()) {
        *to = *from;
    }
    digest
}

/// FNV-1a, stirred at the end so that every bit counts in every place. A sender who makes two names
/// the same harms itself alone.
fn fnv(bytes: &[u8], offset: u64) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = bytes.iter().fold(offset, step);
    let stirred = (sum ^ (sum >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    stirred ^ (stirred >> 33)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use kjerne_sdk::testing::World;

    use super::*;

    fn noted(name: &str, content: &str) -> Seen {
        let mut taken = Taken::default();
        let seen = taken.note(name, content.as_bytes()).unwrap();
        taken.keep().unwrap();
        seen
    }

    #[test]
    fn a_name_is_known_by_what_it_was_used_for() {
        World::new().enter(|| {
            assert_eq!(noted("a", "1"), Seen::New);
            assert_eq!(noted("a", "1"), Seen::Again);
            assert_eq!(noted("a", "2"), Seen::Otherwise);
            assert_eq!(noted("a", "1"), Seen::Again, "the first use stays");
            assert_eq!(noted("b", "1"), Seen::New);
        });
    }

    #[test]
    fn what_is_not_kept_is_not_known_and_what_is_noted_twice_in_one_call_is() {
        World::new().enter(|| {
            let mut taken = Taken::default();
            assert_eq!(taken.note("a", b"1").unwrap(), Seen::New);
            assert_eq!(taken.note("a", b"1").unwrap(), Seen::Again);
            drop(taken);
            assert_eq!(noted("a", "1"), Seen::New);
        });
    }

    #[test]
    fn drawers_are_bounded_and_the_newest_names_stay() {
        World::new().enter(|| {
            let mut taken = Taken::default();
            let names: Vec<String> = (0..600_000).map(|number| format!("n{number}")).collect();
            for name in &names {
                assert_eq!(taken.note(name, b"").unwrap(), Seen::New, "{name}");
            }
            let most = NAMES * ENTRY;
            assert!(
                taken
                    .drawers
                    .values()
                    .all(|(drawer, _)| drawer.len() <= most)
            );
            assert_eq!(taken.drawers.len() as u64, DRAWERS);
            for name in &names[500_000..] {
                assert_eq!(taken.note(name, b"").unwrap(), Seen::Again, "{name}");
            }
        });
    }
}
