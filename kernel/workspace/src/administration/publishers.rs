//! Publishers: a key pinned beforehand or again, and keys revoked.

use kjerne_core::Administered;
use kjerne_host::check_publisher;
use kjerne_host::signing::PublicKey;
use kjerne_model::Act;
use kjerne_store::{KeyStanding, PublisherKey, PublisherRow, provenance};

use super::Administration;
use crate::error::{Error, Result};
use crate::publishers::{add, revoked_elsewhere};

impl Administration<'_> {
    /// Pins a key to a publisher who has none that is trusted: before anything of theirs is installed, or
    /// after their keys were revoked.
    ///
    /// # Errors
    /// When the name or the key is none, another key of theirs is trusted, or the key was revoked for
    /// somebody else.
    pub fn trust(&self, publisher: &str, key: &str) -> Result<PublisherRow> {
        check_publisher(publisher).map_err(|error| Error::unreadable(error.to_string()))?;
        let key = PublicKey::parse(key).map_err(|error| Error::unreadable(error.to_string()))?;
        let _turn = self.runtime.administer();
        let all = provenance::publishers(&*self.runtime.store.snapshot()?)?;
        revoked_elsewhere(&all, publisher, &key)?;
        let known = all.into_iter().find(|row| row.name == publisher);
        let mut row = known.unwrap_or_else(|| PublisherRow {
            name: publisher.to_owned(),
            keys: Vec::new(),
        });
        let text = key.text();
        match row.trusted() {
            Some(trusted) if trusted.key == text => return Ok(row),
            Some(trusted) => {
                return Err(Error::refused(format!(
                    "{publisher} signs with the key {} here; to take that back first: kjerne plugin distrust \
                     {publisher}",
                    trusted.key
                )));
            }
            None => {}
        }
        let new = PublisherKey {
            key: text.clone(),
            standing: KeyStanding::Trusted,
            since: self.at,
        };
        row.keys.retain(|known| known.key != text);
        add(&mut row, new)?;
        let act = Act::new("publisher.trust", publisher).with("key", text);
        self.journal(act, vec![Administered::Publisher(row.clone())])?;
        Ok(row)
    }

    /// Revokes every key of a publisher: what they signed is marked from now on, and is neither installed
    /// nor switched on. What is switched on stays so until somebody switches it off.
    ///
    /// # Errors
    /// When there is no such publisher.
    pub fn distrust(&self, publisher: &str) -> Result<PublisherRow> {
        let _turn = self.runtime.administer();
        let mut row = self.publisher(publisher)?.ok_or_else(|| {
            Error::not_found(format!(
                "no publisher {publisher:?} is known; kjerne plugin trust lists those that are"
            ))
        })?;
        let standing = |key: &&PublisherKey| key.standing != KeyStanding::Revoked;
        let revoked: Vec<&str> = row
            .keys
            .iter()
            .filter(standing)
            .map(|key| &*key.key)
            .collect();
        let act = Act::new("publisher.distrust", publisher).with("keys", revoked.join(" "));
        for key in &mut row.keys {
            if key.standing != KeyStanding::Revoked {
                key.standing = KeyStanding::Revoked;
                key.since = self.at;
            }
        }
        self.journal(act, vec![Administered::Publisher(row.clone())])?;
        Ok(row)
    }

    fn publisher(&self, name: &str) -> Result<Option<PublisherRow>> {
        let snapshot = self.runtime.store.snapshot()?;
        Ok(provenance::publisher(&*snapshot, name)?)
    }
}
