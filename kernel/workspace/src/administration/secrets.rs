//! Bearer tokens and signing secrets: made, set and taken back.

use kjerne_model::Act;

use super::Administration;
use crate::error::{Error, Result};
use crate::secrets::{self, Secrets};

impl Administration<'_> {
    /// Makes a bearer token for somebody, over one they had.
    ///
    /// # Errors
    /// When the name is none, or the file of secrets cannot be written.
    pub fn add_token(&self, name: &str) -> Result<String> {
        let token = secrets::new_token()?;
        let act = Act::new("token.add", secrets::check_name(name)?);
        self.change_secrets(act, |secrets| {
            secrets.tokens.insert(name.to_owned(), token.clone());
            Ok(())
        })?;
        Ok(token)
    }

    /// Takes somebody's token back; it is refused from now on.
    ///
    /// # Errors
    /// When they have none, or the file of secrets cannot be written.
    pub fn remove_token(&self, name: &str) -> Result<()> {
        self.change_secrets(Act::new("token.remove", name), |secrets| {
            let known = secrets.tokens.remove(name);
            known
                .map(drop)
                .ok_or_else(|| none_of("token", name, secrets.tokens.keys()))
        })
    }

    /// Keeps a signing secret under a name; none makes one. Returns the secret.
    ///
    /// # Errors
    /// When the name or the secret is none, or the file of secrets cannot be written.
    pub fn set_secret(&self, name: &str, secret: Option<String>) -> Result<String> {
        let secret = match secret {
            Some(secret) => {
                crate::delivery::signing::key(&secret)?;
                secret
            }
            None => secrets::new_signing_secret()?,
        };
        let act = Act::new("secret.set", secrets::check_name(name)?);
        self.change_secrets(act, |secrets| {
            secrets.secrets.insert(name.to_owned(), secret.clone());
            Ok(())
        })?;
        Ok(secret)
    }

    /// Forgets a signing secret; messages that are to be signed with it fail from now on.
    ///
    /// # Errors
    /// When there is none, or the file of secrets cannot be written.
    pub fn remove_secret(&self, name: &str) -> Result<()> {
        self.change_secrets(Act::new("secret.remove", name), |secrets| {
            let known = secrets.secrets.remove(name);
            known
                .map(drop)
                .ok_or_else(|| none_of("secret", name, secrets.secrets.keys()))
        })
    }

    /// The file is written before the act is journalled: what was taken back is taken back even when
    /// the power goes between the two. Where the journal fails while the program goes on, what was to
    /// be added is taken out again, since nobody was told of it.
    fn change_secrets(
        &self,
        act: Act,
        change: impl FnOnce(&mut Secrets) -> Result<()>,
    ) -> Result<()> {
        let _turn = self.runtime.administer();
        let workspace = &self.runtime.workspace;
        let before = workspace.secrets()?;
        let mut secrets = before.clone();
        change(&mut secrets)?;
        let takes_back = secrets.count() < before.count();
        workspace.write_secrets(&secrets)?;
        let journalled = self.journal(act, Vec::new());
        if journalled.is_ok() || takes_back {
            self.runtime.use_secrets(secrets);
        } else {
            workspace.write_secrets(&before)?;
        }
        journalled
    }
}

fn none_of<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let known = if known.is_empty() {
        "there is none".to_owned()
    } else {
        format!("there are: {}", known.join(", "))
    };
    Error::not_found(format!("there is no {what} {name:?}; {known}"))
}
