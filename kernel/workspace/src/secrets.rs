//! The secrets of a workspace: bearer tokens of people, signing secrets of messages.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::error::{Context as _, Error, Result};
use crate::files::{read_text, unreadable};
use crate::limits::WORKSPACE_FILE;

/// What `secrets.toml` holds. Its values never appear in messages or logs.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Bearer tokens, by the name of who comes with them.
    #[serde(default)]
    pub tokens: BTreeMap<String, String>,
    /// Signing secrets, by the name plugins' settings use.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens: Vec<&String> = self.tokens.keys().collect();
        let secrets: Vec<&String> = self.secrets.keys().collect();
        f.debug_struct("Secrets")
            .field("tokens", &tokens)
            .field("secrets", &secrets)
            .finish()
    }
}

impl Secrets {
    /// The shortest token taken; anything less can be guessed.
    const MIN_TOKEN_BYTES: usize = 16;

    /// Reads the file; an absent file holds nothing.
    ///
    /// # Errors
    /// When it cannot be read, others than its owner may read it, or a token is too short.
    pub fn read(file: &Path) -> Result<Self> {
        if !file.exists() {
            return Ok(Self::default());
        }
        check_owner_only(file)?;
        let text = read_text(file, &WORKSPACE_FILE)?;
        let secrets: Self = toml::from_str(&text).map_err(|error| unreadable(file, &error))?;
        match secrets
            .tokens
            .iter()
            .find(|(_, token)| token.len() < Self::MIN_TOKEN_BYTES)
        {
            Some((name, _)) => Err(Error::unreadable(format!(
                "{}: the token of {name} is shorter than {} characters; make one with: kjerne token add {name}",
                file.display(),
                Self::MIN_TOKEN_BYTES
            ))),
            None => Ok(secrets),
        }
    }

    /// The file's text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let table = |entries: &BTreeMap<String, String>| {
            let lines = entries
                .iter()
                .map(|(name, value)| format!("{} = {}\n", quoted(name), quoted(value)));
            lines.collect::<String>()
        };
        format!(
            "# Readable by the owner only. Make entries with: kjerne token add NAME, kjerne secret set NAME.\n\n\
             [tokens]\n{}\n[secrets]\n{}",
            table(&self.tokens),
            table(&self.secrets)
        )
    }

    /// How many tokens and secrets there are.
    pub(crate) fn count(&self) -> usize {
        self.tokens.len() + self.secrets.len()
    }

    /// Whose token this is. Compares every token in full, so that time tells nothing about them.
    #[must_use]
    pub fn who(&self, token: &str) -> Option<&str> {
        let mut found = None;
        for (name, known) in &self.tokens {
            if same(known.as_bytes(), token.as_bytes()) {
                found = Some(name.as_str());
            }
        }
        found
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (x, y)| differ | (x ^ y)) == 0
}

/// A new bearer token of 32 random bytes.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_token() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random()?))
}

/// A new signing secret of 32 random bytes, in the form Standard Webhooks gives them.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_signing_secret() -> Result<String> {
    Ok(format!("whsec_{}", STANDARD.encode(random()?)))
}

/// A name tokens and secrets may have.
///
/// # Errors
/// When it is none.
pub(crate) fn check_name(name: &str) -> Result<&str> {
    let allowed =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(allowed) {
        return Ok(name);
    }
    Err(Error::unreadable(format!(
        "{name:?} is no name: small letters, digits, '-', '_' and '.', at most 64"
    )))
}

/// 32 random bytes.
///
/// # Errors
/// When the system has no random numbers.
pub(crate) fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(bytes)
}

#[cfg(unix)]
fn check_owner_only(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(file)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Error::unreadable(format!(
        "{} may be read by others (mode {:o}); run: chmod 600 {}",
        file.display(),
        mode & 0o777,
        file.display()
    )))
}

#[cfg(not(unix))]
fn check_owner_only(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut secrets = Secrets::default();
        secrets
            .tokens
            .insert("kari \"k\"".into(), new_token().unwrap());
        secrets
            .secrets
            .insert("crm-hook".into(), new_signing_secret().unwrap());
        let back: Secrets = toml::from_str(&secrets.to_toml()).unwrap();
        assert_eq!(
            (back.tokens, back.secrets),
            (secrets.tokens, secrets.secrets)
        );
    }

    #[test]
    fn a_token_names_its_owner_and_nothing_near_it_does() {
        let mut secrets = Secrets::default();
        secrets
            .tokens
            .insert("kari".into(), "0123456789abcdef".into());
        for (token, who) in [
            ("0123456789abcdef", Some("kari")),
            ("0123456789abcdeF", None),
            ("0123456789abcde", None),
            ("", None),
        ] {
            assert_eq!(secrets.who(token), who, "{token}");
        }
    }

    #[test]
    fn a_short_token_is_refused_and_debug_shows_no_value() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secrets.toml");
        crate::files::write(&file, "[tokens]\nkari = \"short\"\n", 0o600).unwrap();
        let error = Secrets::read(&file).unwrap_err().to_string();
        assert!(
            error.contains("the token of kari") && !error.contains("\"short\""),
            "{error}"
        );
        let mut secrets = Secrets::default();
        secrets.secrets.insert("hook".into(), "whsec_hidden".into());
        assert!(!format!("{secrets:?}").contains("hidden"));
    }
}
