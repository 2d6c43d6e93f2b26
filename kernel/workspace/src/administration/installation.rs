//! A plugin's file on its way in: stage by stage, without effect until the last one is passed.
//!
//! Everything is done with the bytes as they came, which nobody else can change: size, signature, structure,
//! manifest, validation, contract, resources, compilation in a process of its own, a smoke run, and what the
//! file may do against what the version in use may do. Only then a row is stored, and the file moved to its
//! place. A refusal names its stage.

use std::sync::Arc;

use kjerne_core::{Administered, was_in_use};
use kjerne_host::grants::Grant;
use kjerne_host::signing::PublicKey;
use kjerne_host::{Difference, Package, Stage};
use kjerne_model::{Act, Instant};
use kjerne_store::registry::PluginRow;
use kjerne_store::{Origin, StoreError, WaitingRow, provenance};

use super::{Administration, INSTALL, Next, Placed, in_use};
use crate::error::{Error, Result};
use crate::grants::{check_grant, check_needed_on, lacking_items, needed, unknown};
use crate::plugin_files;
use crate::plugin_registry::{grants, read_package, role_named, role_names};
use crate::publishers::{self, Offer, Vouched, at};

/// A file that has passed every stage but the last.
pub(super) struct Arrival<'a> {
    package: Arc<Package>,
    source: Source<'a>,
    operation: &'static str,
    agreed: Option<Agreed<'a>>,
}

/// Where a file comes from.
enum Source<'a> {
    /// From outside, with what came beside it, and with the key its signature was verified with.
    Offered(&'a Offer<'a>, Option<PublicKey>),
    /// From those that are kept, and were installed before.
    Kept,
}

/// What an administrator has agreed to who has looked at a version that waited.
#[derive(Clone, Copy)]
pub(super) struct Agreed<'a> {
    /// What is granted beside what the version needs.
    pub items: &'a [String],
    /// Whether that is all it declares.
    pub all_declared: bool,
}

impl<'a> Arrival<'a> {
    /// Takes an offer through every stage but the last.
    pub(super) fn of_offer(
        acts: &Administration<'_>,
        offer: &'a Offer<'a>,
        operation: &'static str,
        agreed: Option<Agreed<'a>>,
    ) -> Result<Self> {
        let snapshot = acts.runtime.store.snapshot()?;
        let key = publishers::verified(&*snapshot, offer)?;
        let package = read_package(offer.bytes)?;
        // Looked at once more when the file is placed; here, nothing is compiled for somebody unknown.
        publishers::vouched(&*snapshot, offer, key.as_ref(), &package, acts.at)?;
        drop(snapshot);
        acts.try_on(&package)?;
        Ok(Self {
            package: Arc::new(package),
            source: Source::Offered(offer, key),
            operation,
            agreed,
        })
    }

    /// A file that is kept and was tried on.
    pub(super) fn kept(package: Package) -> Self {
        Self {
            package: Arc::new(package),
            source: Source::Kept,
            operation: "plugin.rollback",
            agreed: None,
        }
    }

    /// A file that was not tried on: of a plugin that has nothing in it to be run.
    #[cfg(test)]
    pub(super) fn offered(package: Package, offer: &'a Offer<'a>, key: Option<PublicKey>) -> Self {
        Self {
            source: Source::Offered(offer, key),
            operation: INSTALL,
            ..Self::kept(package)
        }
    }

    /// The same, once somebody has looked at it.
    #[cfg(test)]
    pub(super) fn agreed_to(self, agreed: Agreed<'a>) -> Self {
        Self {
            agreed: Some(agreed),
            ..self
        }
    }

    /// The text that came with the file.
    fn signature(&self) -> Option<&'a str> {
        match &self.source {
            Source::Offered(offer, _) => offer.signature,
            Source::Kept => None,
        }
    }
}

impl Administration<'_> {
    /// Installs a plugin's file, or upgrades to it. It passes every stage before anything is changed: a
    /// plugin that cannot run is not installed. A new plugin is granted nothing and is off; an
    /// upgraded one keeps what it was granted as far as it still declares it, and the rest is taken
    /// back for good. An upgrade that reaches further, asks for more or is somebody else's waits until it
    /// was looked at, and the version in use stays in use.
    ///
    /// # Errors
    /// When a stage refuses the file, or the same version is there with another content.
    pub fn install(&self, offer: &Offer<'_>) -> Result<Placed> {
        let arrival = Arrival::of_offer(self, offer, INSTALL, None)?;
        self.place(&arrival)
    }

    /// Takes back the version that was in use before the present one, or the one named.
    ///
    /// # Errors
    /// When no such version is kept, or its file is damaged, or its publisher's key was revoked.
    pub fn roll_back(&self, id: &str, version: Option<&str>) -> Result<Placed> {
        let bytes = self.runtime.plugins().earlier(id, version)?;
        let package = read_package(&bytes)?;
        self.try_on(&package)?;
        self.place(&Arrival::kept(package))
    }

    pub(super) fn try_on(&self, package: &Package) -> Result<()> {
        let tried = self.runtime.host.try_on(package);
        tried.map_err(|misfit| at(misfit.stage, misfit.error.into()))
    }

    /// The last stage, and what follows from it, while no other act is under way.
    pub(super) fn place(&self, arrival: &Arrival<'_>) -> Result<Placed> {
        let _turn = self.runtime.administer();
        let package = &arrival.package;
        let id = &package.manifest.id;
        let vouched = self.vouched(arrival)?;
        let rows = self.runtime.plugins().rows()?;
        let Some(before) = rows.iter().find(|row| row.id == *id) else {
            return self.put(arrival, vouched, None, fresh(&rows, package, self.at));
        };
        let mut row = upgraded(before, package, self.at)?;
        self.check_kept(before, package)?;
        self.check_waiting(arrival, &vouched.origin)?;
        let waits = self.waits_for(before, &row, arrival, &vouched.origin)?;
        match &arrival.agreed {
            None if !waits.is_empty() => return self.put_aside(arrival, vouched, before, waits),
            None => {}
            Some(agreed) => self.grant_agreed(&mut row, package, agreed)?,
        }
        if row.enabled {
            check_needed_on(self.runtime.kernel.schema(), package, &row)
                .map_err(|error| at(Stage::Review, error))?;
        }
        self.put(arrival, vouched, Some(before), row)
    }

    fn vouched(&self, arrival: &Arrival<'_>) -> Result<Vouched> {
        let snapshot = self.runtime.store.snapshot()?;
        let package = &arrival.package;
        match &arrival.source {
            Source::Offered(offer, key) => {
                publishers::vouched(&*snapshot, offer, key.as_ref(), package, self.at)
            }
            Source::Kept => {
                let id = &package.manifest.id;
                let known = provenance::origins(&*snapshot, id)?;
                let origin = known.into_iter().find(|one| one.digest == package.digest);
                let origin = origin.ok_or_else(|| {
                    Error::refused(format!(
                        "the file that is kept of {id} {} is not the one that was installed; install the \
                         one you want: kjerne plugin install FILE",
                        package.manifest.version
                    ))
                })?;
                publishers::check_standing(&*snapshot, id, &origin)
                    .map_err(|error| at(Stage::Signature, error))?;
                Ok(Vouched { origin, pins: None })
            }
        }
    }

    /// Stores the row, and puts the file in its place and the plugin in use.
    fn put(
        &self,
        arrival: &Arrival<'_>,
        vouched: Vouched,
        before: Option<&PluginRow>,
        row: PluginRow,
    ) -> Result<Placed> {
        let (package, id) = (&arrival.package, &row.id);
        if row.enabled {
            self.check(&row, Arc::clone(package))?;
        }
        let workspace = &self.runtime.workspace;
        let file = workspace.plugin_file(id, &row.version);
        // The row decides: before it stands the file of the row before is untouched, and behind it
        // the draft is found even when it could not be moved.
        if before.is_none() {
            // What an earlier installation may have left behind is not this one's.
            plugin_files::remove_all(workspace, id)?;
        }
        if let Some(before) = before.filter(|before| before.version != row.version) {
            plugin_files::date(workspace, before)?;
        }
        plugin_files::write_draft(&file, package.bytes())?;
        let replaced = before.map(|row| row.version.clone());
        let act = Act::new(arrival.operation, id)
            .with("version", &row.version)
            .with("before", replaced.clone().unwrap_or_default());
        let act = about_signer(act, &vouched);
        // A call that was under way when the plugin was removed may have left a row behind.
        let left = before
            .is_none()
            .then(|| Administered::PluginRemoved(id.clone()));
        let used = before.into_iter().chain([&row]).filter_map(in_use);
        let mut beside: Vec<Administered> = used.collect();
        beside.extend(self.rebound(&row)?);
        beside.push(self.origins(before, &row, &vouched.origin)?);
        if row.enabled {
            beside.extend(self.jobs(&package.manifest)?);
        }
        let pinned = vouched.pins.clone();
        beside.extend(vouched.pins.map(Administered::Publisher));
        let waiting = provenance::waiting(&*self.runtime.store.snapshot()?, id)?;
        if waiting.is_some_and(|waiting| waiting.origin.digest == package.digest) {
            beside.push(Administered::WaitsNoMore(id.clone()));
        }
        let next = Next::of(row).with_file(Arc::clone(package)).after(left);
        let next = next.with(beside);
        let placed = self.place_row(act, next, package);
        if placed.as_ref().is_err_and(|error| !may_be_stored(error)) {
            plugin_files::drop_draft(&file);
        }
        let placed = placed?;
        plugin_files::put_in_place(&file)?;
        if let Source::Offered(..) = arrival.source {
            plugin_files::keep_signature(&file, arrival.signature())?;
        }
        plugin_files::thin_out(workspace, &placed.row)?;
        plugin_files::thin_out_waiting(workspace, &placed.row.id, placed.made.waiting.as_deref())?;
        Ok(Placed {
            before: replaced,
            pinned,
            ..placed
        })
    }

    /// Where the files of a plugin come from that are kept once this one is there.
    fn origins(
        &self,
        before: Option<&PluginRow>,
        row: &PluginRow,
        new: &Origin,
    ) -> Result<Administered> {
        let snapshot = self.runtime.store.snapshot()?;
        let mut origins = Vec::new();
        if let Some(before) = before {
            origins = provenance::origins(&*snapshot, &row.id)?;
            let kept = self.runtime.plugins().kept(before)?;
            origins.retain(|one| {
                one.version != new.version
                    && (one.version == before.version || kept.contains(&one.version))
            });
        }
        origins.push(new.clone());
        Ok(Administered::Origins(row.id.clone(), origins))
    }

    /// Keeps a version beside the one in use until it was looked at.
    fn put_aside(
        &self,
        arrival: &Arrival<'_>,
        vouched: Vouched,
        before: &PluginRow,
        waits: Vec<String>,
    ) -> Result<Placed> {
        let (workspace, package) = (&self.runtime.workspace, &arrival.package);
        let Source::Offered(offer, _) = &arrival.source else {
            return Err(at(Stage::Review, never_agreed(before, package, &waits)));
        };
        let version = &package.manifest.version;
        plugin_files::write_waiting(workspace, &before.id, version, package.bytes())?;
        let act = Act::new("plugin.wait", &before.id)
            .with("version", version)
            .with("before", &before.version)
            .with("for", waits.join(", "));
        let act = about_signer(act, &vouched);
        let row = WaitingRow {
            plugin: before.id.clone(),
            origin: vouched.origin,
            signature: offer.signature.map(str::to_owned),
            succession: offer.succession.map(str::to_owned),
            since: self.at,
        };
        self.journal(act, vec![Administered::Waits(row)])?;
        plugin_files::thin_out_waiting(workspace, &before.id, Some(version))?;
        let present = self.runtime.plugins().package(before).ok();
        let placed = self.placed(before.clone(), present.as_deref().unwrap_or(package))?;
        Ok(Placed {
            waits: Some((version.clone(), waits)),
            ..placed
        })
    }

    /// What is looked at is what is accepted: while a version waits, nothing else of its number comes, and
    /// what was rejected meanwhile is not accepted.
    fn check_waiting(&self, arrival: &Arrival<'_>, origin: &Origin) -> Result<()> {
        let id = &arrival.package.manifest.id;
        let waiting = provenance::waiting(&*self.runtime.store.snapshot()?, id)?;
        let waiting = waiting.map(|waiting| waiting.origin);
        let refused = match (&arrival.source, &arrival.agreed) {
            (Source::Kept, _) => None,
            (Source::Offered(..), None) => waiting
                .filter(|waiting| waiting.version == origin.version && waiting != origin)
                .map(|_| {
                    format!(
                        "another file of {id} {}, or the same by somebody else, waits to be looked at; \
                         reject it first: kjerne plugin reject {id}; or raise the version",
                        origin.version
                    )
                }),
            (Source::Offered(..), Some(_)) => (waiting.as_ref() != Some(origin)).then(|| {
                format!(
                    "this file of {id} {} waits no more; look at what does: kjerne plugin review {id}",
                    origin.version
                )
            }),
        };
        refused.map_or(Ok(()), |why| Err(at(Stage::Review, Error::refused(why))))
    }

    /// Why an upgrade waits until it was looked at; empty where it may take its place at once. What was in
    /// use before was agreed to, and may reach as far again.
    fn waits_for(
        &self,
        before: &PluginRow,
        row: &PluginRow,
        arrival: &Arrival<'_>,
        origin: &Origin,
    ) -> Result<Vec<String>> {
        let package = &arrival.package;
        let was_used = was_in_use(&*self.runtime.store.snapshot()?, row)?;
        let mut waits = Vec::new();
        let present = self.runtime.plugins().origin(before)?;
        let named = |origin: &Origin| match &origin.signer {
            Some(signer) => format!("signed by {}", signer.publisher),
            None => "unsigned".to_owned(),
        };
        // Who goes back says so; who installs may not see that the signature is gone.
        let offered = matches!(arrival.source, Source::Offered(..));
        let loses = offered && present.signer.is_some() && origin.signer.is_none();
        if named(&present) != named(origin) && (loses || !was_used) {
            let (old, new) = (named(&present), named(origin));
            waits.push(format!(
                "another publisher ({new}, the one in use is {old})"
            ));
        }
        if before.enabled {
            if !was_used {
                waits.extend(self.further(before, package));
            }
            // What it declares as well and was not given, it may need now; what was in use before may have
            // been given more then.
            let items = lacking_items(package, row).into_iter();
            let items = items.map(|item| format!("the grant {item}"));
            let new: Vec<String> = items.filter(|item| !waits.contains(item)).collect();
            waits.extend(new);
        }
        Ok(waits)
    }

    /// How much further a version reaches than the one in use.
    fn further(&self, before: &PluginRow, package: &Package) -> Vec<String> {
        match self.runtime.plugins().package(before) {
            Ok(present) => Difference::between(&present, package).further(),
            Err(_) => {
                let roles = role_names(package).into_iter();
                let new = roles.filter(|role| !before.roles.contains(role));
                new.map(|role| format!("the role {role}")).collect()
            }
        }
    }

    /// Grants what an administrator has agreed to by accepting a version: what it needs, and what else
    /// they named.
    fn grant_agreed(
        &self,
        row: &mut PluginRow,
        package: &Package,
        agreed: &Agreed<'_>,
    ) -> Result<()> {
        let schema = self.runtime.kernel.schema();
        let mut wanted = Vec::new();
        for item in agreed.items {
            let item = crate::plugin_registry::parse(item)?;
            check_grant(schema, package, &item)?;
            wanted.push(item);
        }
        if row.enabled {
            let needed = needed(package, row).into_iter();
            wanted.extend(needed.map(|declared| declared.allow));
        }
        if agreed.all_declared {
            wanted.extend(package.manifest.grantable());
        }
        let known = |item: &Grant| !item.is_wildcard() && unknown(schema, item).is_none();
        let wanted = wanted.iter().filter(|item| known(item));
        row.grants.extend(wanted.map(Grant::to_string));
        row.grants.sort();
        row.grants.dedup();
        Ok(())
    }

    /// Frees the interfaces bound to a plugin that has them no more: the bindings of the others stay.
    fn rebound(&self, row: &PluginRow) -> Result<Vec<Administered>> {
        let bindings = self.runtime.plugins().bindings()?;
        let bound = bindings.into_iter().filter(|(_, plugin)| *plugin == row.id);
        let (stays, gone): (Vec<_>, Vec<_>) = bound.partition(|(role, _)| row.roles.contains(role));
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let named = stays.iter().filter_map(|(role, _)| role_named(role));
        let stays = named.map(|role| Administered::Bound {
            role,
            plugin: row.id.clone(),
        });
        Ok([Administered::Unbound(row.id.clone())]
            .into_iter()
            .chain(stays)
            .collect())
    }

    /// Refuses another content of a version that was in use and is kept: it could not be had back.
    fn check_kept(&self, before: &PluginRow, package: &Package) -> Result<()> {
        let version = &package.manifest.version;
        let file = self.runtime.workspace.plugin_file(&before.id, version);
        let Some(digest) = plugin_files::digest(&file).filter(|kept| *kept != package.digest)
        else {
            return Ok(());
        };
        let kept = PluginRow {
            version: version.clone(),
            digest,
            ..before.clone()
        };
        let snapshot = self.runtime.store.snapshot()?;
        if before.version == *version || !was_in_use(&*snapshot, &kept)? {
            return Ok(());
        }
        Err(Error::refused(format!(
            "{} {version} was in use with another content, which is kept to be had back; raise the version",
            before.id
        )))
    }
}

/// False when it is certain that nothing of an act was stored: a store that failed may hold it all the same.
pub(super) fn may_be_stored(error: &Error) -> bool {
    matches!(error.root(), Error::Store(StoreError::Unknown(_)))
}

fn fresh(rows: &[PluginRow], package: &Package, now: Instant) -> PluginRow {
    let last = rows.iter().map(|row| row.position).max();
    let manifest = &package.manifest;
    PluginRow {
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        digest: package.digest,
        enabled: false,
        grants: Vec::new(),
        settings: package.settings.clone(),
        revision: 0,
        position: last.unwrap_or_default() + 1,
        installed_at: now,
        roles: role_names(package),
        limits: Vec::new(),
        lets_pass: false,
    }
}

fn upgraded(before: &PluginRow, package: &Package, now: Instant) -> Result<PluginRow> {
    let manifest = &package.manifest;
    if before.version == manifest.version && before.digest != package.digest && before.enabled {
        return Err(Error::refused(format!(
            "{} {} is installed and switched on with another content; raise the version, or switch \
             it off first: kjerne plugin disable {}",
            manifest.id, manifest.version, manifest.id
        )));
    }
    // What this version does not declare is taken back for good: a later one that asks for it again
    // may be made by somebody else, or use it for something else, and is to be granted it anew.
    // What asks for less than was given is given it.
    let declared = manifest.declared();
    let held = grants(before)?;
    let stays = held
        .iter()
        .filter(|item| declared.iter().any(|wider| wider.covers(item)));
    let less = declared
        .iter()
        .filter(|item| held.iter().any(|wider| wider.covers(item)));
    let mut kept: Vec<String> = stays.chain(less).map(Grant::to_string).collect();
    kept.sort();
    kept.dedup();
    Ok(PluginRow {
        grants: kept,
        version: manifest.version.clone(),
        digest: package.digest,
        roles: role_names(package),
        installed_at: now,
        ..before.clone()
    })
}

/// A kept version reaches further than what was agreed to: it was never in use, or was granted more then.
fn never_agreed(before: &PluginRow, package: &Package, waits: &[String]) -> Error {
    let (id, version) = (&before.id, &package.manifest.version);
    Error::refused(format!(
        "{id} {version} is not gone back to without a look, since it brings what {} has not: {}; to have it \
         looked at, install its file: kjerne plugin install FILE",
        before.version,
        waits.join(", ")
    ))
}

/// What the journal has to say of who signed a file.
fn about_signer(act: Act, vouched: &Vouched) -> Act {
    let Some(signer) = &vouched.origin.signer else {
        return act.with("signature", "unsigned");
    };
    let act = act
        .with("publisher", &signer.publisher)
        .with("key", &signer.key);
    match vouched.pins {
        Some(_) => act.with("pinned", &signer.key),
        None => act,
    }
}
