//! Keys, signatures and publishers on the command line.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use anyhow::Result;
use axum::body::Body;
use axum::http::Method;
use kjerne_author::{make_key, open_key, read_text, sign_file, verify_file};
use kjerne_host::signing::PublicKey;
use kjerne_model::shown::plain;
use kjerne_workspace::{Error, error};
use serde_json::{Value as Json, json};

use super::cells::{list as members, text, texts};
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Report;
use crate::path::path;
use crate::plugin_args::KeygenArgs;

/// Asks for a password: where nobody sits in front of it, it is a line of standard input.
fn password(prompt: &str) -> error::Result<String> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?);
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a new password; whoever types it unseen types it twice.
fn new_password() -> error::Result<String> {
    let first = password("Password for the new key: ")?;
    if io::stdin().is_terminal() && password("The same again: ")? != first {
        return Err(Error::unreadable("the two passwords differ; try again"));
    }
    Ok(first)
}

/// A public key, typed or in a file.
pub(super) fn public_key(given: &str) -> Result<PublicKey> {
    let file = Path::new(given);
    let text = if file.is_file() {
        read_text(file)?
    } else {
        given.to_owned()
    };
    Ok(PublicKey::parse(&text).map_err(|error| Error::unreadable(error.to_string()))?)
}

pub(super) fn keygen(context: &Context, args: &KeygenArgs) -> Result<Exit> {
    let old = args.successor_of.as_ref().map(|old| {
        let prompt = format!("Password of {}: ", old.display());
        open_key(old, || password(&prompt))
    });
    let old = old.transpose()?;
    let password = if args.no_password {
        None
    } else {
        Some(new_password()?)
    };
    let files = make_key(&args.name, password.as_deref(), old.as_ref())?;
    let mut lines = vec![
        format!(
            "{}: the secret key; keep it where only you read it, and a copy of it somewhere else",
            files.secret.display()
        ),
        format!("{}: the public key, for everybody", files.public.display()),
        files.key.text(),
        format!("fingerprint {}", files.key.fingerprint()),
    ];
    if let Some(succession) = &files.succession {
        lines.push(format!(
            "{}: the old key's word for it; whoever pinned the old key installs with --succession {}",
            succession.display(),
            succession.display()
        ));
    }
    let json = json!({
        "secret": files.secret,
        "public": files.public,
        "succession": files.succession,
        "key": files.key.text(),
        "id": files.key.id(),
        "fingerprint": files.key.fingerprint(),
    });
    context.print(&Report::of_note(lines.join("\n"), json))
}

pub(super) fn sign(context: &Context, file: &Path, key: &Path) -> Result<Exit> {
    let prompt = format!("Password of {}: ", key.display());
    let key = open_key(key, || password(&prompt))?;
    let signed = sign_file(file, &key)?;
    let note = format!("{}\n{}", signed.signature.display(), signed.comment);
    let json = json!({
        "signature": signed.signature,
        "comment": signed.comment,
        "key_id": signed.key_id,
        "plugin": signed.package.manifest.id,
        "version": signed.package.manifest.version,
    });
    context.print(&Report::of_note(note, json))
}

pub(super) fn verify(
    context: &Context,
    file: &Path,
    key: &str,
    signature: Option<&Path>,
) -> Result<Exit> {
    let key = public_key(key)?;
    let verified = verify_file(file, signature, &key)?;
    let manifest = &verified.package.manifest;
    let note = format!(
        "{} {} is what the key {} has signed\n{}",
        manifest.id,
        manifest.version,
        verified.key_id,
        plain(&verified.comment)
    );
    let json = json!({
        "plugin": manifest.id,
        "version": manifest.version,
        "publisher": manifest.publisher,
        "key_id": verified.key_id,
        "fingerprint": key.fingerprint(),
        "comment": verified.comment,
    });
    context.print(&Report::of_note(note, json))
}

pub(super) fn trust(context: &Context, publisher: Option<&str>, key: Option<&str>) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    let (Some(publisher), Some(key)) = (publisher, key) else {
        let answer = connection.get("/v1/publishers")?;
        return context.print(&publishers(&answer, publisher));
    };
    let key = public_key(key)?;
    let place = path(&["publishers", publisher, "trust"]);
    let row = connection.give(Method::POST, &place, &json!({ "public_key": key.text() }))?;
    let note = format!(
        "{publisher} signs with {}, fingerprint {}",
        key.id(),
        key.fingerprint()
    );
    context.print(&Report::of_note(note, row))
}

pub(super) fn distrust(context: &Context, publisher: &str) -> Result<Exit> {
    let place = path(&["publishers", publisher, "distrust"]);
    let mut connection = context.connect(Needs::Data)?;
    let row = connection
        .send(Method::POST, &place, &[], Body::empty())?
        .json()?;
    let note = format!(
        "the keys of {publisher} are revoked: nothing they signed is installed or switched on any more; what \
         is switched on stays so until you switch it off: kjerne plugin disable PLUGIN; which plugins are \
         theirs: kjerne plugin trust {publisher}"
    );
    context.print(&Report::of_note(note, row))
}

/// A line for each key of each publisher, or of one.
fn publishers(answer: &Json, only: Option<&str>) -> Report {
    let known = members(&answer["publishers"]);
    let meant = known.filter(|one| only.is_none_or(|only| text(one, "name") == only));
    let rows = meant.flat_map(|publisher| {
        let plugins = texts(&publisher["plugins"]).join(" ");
        members(&publisher["keys"]).map(move |key| {
            vec![
                text(publisher, "name").to_owned(),
                text(key, "standing").to_owned(),
                text(key, "fingerprint").to_owned(),
                text(key, "key").to_owned(),
                text(key, "since").to_owned(),
                plugins.clone(),
            ]
        })
    });
    let columns = [
        "publisher",
        "key is",
        "fingerprint",
        "key",
        "since",
        "plugins",
    ];
    Report::new(&columns, rows.collect(), answer.clone()).with_whole_cells()
}
