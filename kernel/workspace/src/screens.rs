//! What plugins show people: which reports there are, their pages, and the panels beside a record or on the
//! day's page.

use std::fmt;
use std::sync::Arc;

use kjerne_core::screens::{Card, ReportPage};
use kjerne_core::{Call, Reply, Role};
use kjerne_host::screens::{Panel, Report};
use kjerne_host::{AskError, Asked, Package};
use kjerne_model::Reference;
use kjerne_store::{StoreError, journal, meta};
use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};
use crate::limits::{PANELS_SHOWN, REPORT_PAGES};
use crate::report_cursor::{Place, Seal};
use crate::requests::{enabled, package, read};
use crate::runtime::Runtime;

/// Why a plugin shows nothing.
#[derive(Debug)]
pub enum NotShown {
    /// It was not asked: something named is not there, or cannot be read.
    NotAsked(Error),
    /// It was asked and has no answer.
    Unanswered(AskError),
}

impl fmt::Display for NotShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked(error) => error.fmt(f),
            Self::Unanswered(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotShown {}

impl From<Error> for NotShown {
    fn from(error: Error) -> Self {
        Self::NotAsked(error)
    }
}

impl From<StoreError> for NotShown {
    fn from(error: StoreError) -> Self {
        Self::NotAsked(error.into())
    }
}

impl From<AskError> for NotShown {
    fn from(error: AskError) -> Self {
        Self::Unanswered(error)
    }
}

/// The files of the plugins that run and have a role, in the order they are asked.
fn packages(runtime: &Runtime, role: Role) -> Vec<Arc<Package>> {
    let plugins = kjerne_core::Plugins::with_role(&*runtime.host, role);
    let packages = plugins
        .iter()
        .filter_map(|plugin| runtime.package(&plugin.id));
    packages.collect()
}

/// The reports of all plugins, each with its plugin.
#[must_use]
pub fn reports(runtime: &Runtime) -> Vec<(String, Report)> {
    let of = |package: &Arc<Package>| {
        let plugin = package.manifest.id.clone();
        let reports = package.manifest.reports.clone().into_iter();
        reports.map(move |report| (plugin.clone(), report))
    };
    packages(runtime, Role::Report)
        .iter()
        .flat_map(of)
        .collect()
}

/// A page of a report.
pub struct Page {
    /// The report, as it is declared.
    pub report: Report,
    /// The rows.
    pub page: ReportPage,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The last entry of the journal when it was read.
    pub journal: u64,
    /// Whether something was committed since the page before was read.
    pub moved: bool,
}

/// Reads a page of a plugin's report, from the beginning or from a cursor.
///
/// # Errors
/// When there is no such report, an argument or the cursor is not its, or the plugin has no answer.
pub fn page(
    runtime: &Runtime,
    call: &Call,
    (plugin, name): (&str, &str),
    given: &Map<String, Json>,
    cursor: Option<&str>,
) -> Result<Page, NotShown> {
    enabled(runtime, plugin, Role::Report)?;
    let package = package(runtime, plugin)?;
    let report = declared(&package, name)?.clone();
    let arguments = read("report", &report.parameters, given)?;
    let seal = seal(runtime, &package, name, &arguments)?;
    let begun = cursor
        .map(|cursor| opened(&seal, name, cursor))
        .transpose()?;
    let journal = journal::last(call.reader.unremembered())?;
    let asked = Asked {
        report: name,
        arguments: &arguments,
        after: begun.as_ref().map(|place| place.after.as_str()),
    };
    let mut page = runtime.host.report_page(plugin, call, asked)?;
    let pages = begun.as_ref().map_or(0, |place| place.pages) + 1;
    let next = page.next.take();
    if next.is_some() && pages >= REPORT_PAGES.value {
        return Err(endless(plugin, name).into());
    }
    let next = next.map(|after| {
        seal.write(&Place {
            pages,
            journal,
            after,
        })
    });
    Ok(Page {
        moved: begun.is_some_and(|place| place.journal != journal),
        report,
        page,
        next,
        journal,
    })
}

fn declared<'a>(package: &'a Package, name: &str) -> Result<&'a Report> {
    let reports = &package.manifest.reports;
    reports.iter().find(|one| one.name == name).ok_or_else(|| {
        let known: Vec<&str> = reports.iter().map(|one| one.name.as_str()).collect();
        let (plugin, known) = (&package.manifest.id, known.join(", "));
        Error::not_found(format!(
            "plugin {plugin} has no report {name:?}; it has: {known}"
        ))
    })
}

/// Where a cursor stands.
fn opened(seal: &Seal, name: &str, cursor: &str) -> Result<Place> {
    seal.read(cursor).ok_or_else(|| {
        Error::unreadable(format!(
            "the cursor is not one of report {name} with these arguments, as its plugin and its settings are \
             now; ask again from the first page, and pass cursors on unchanged"
        ))
    })
}

fn endless(plugin: &str, name: &str) -> Error {
    let (limit, most) = (REPORT_PAGES.name, REPORT_PAGES.value);
    Error::refused(format!(
        "report {name} of plugin {plugin} does not end within {most} pages (limit {limit}); ask for less with its \
         parameters, or have its author answer longer pages"
    ))
}

/// The seal of a report's cursors: of this plugin, version and settings, and of these arguments.
fn seal(runtime: &Runtime, package: &Package, name: &str, arguments: &Reply) -> Result<Seal> {
    let key = meta::cache_key(&*runtime.store.snapshot()?)?.ok_or_else(|| {
        Error::failed(
            "the workspace has no key of its own, by which cursors are sealed; make it anew",
        )
    })?;
    let manifest = &package.manifest;
    let revision = runtime.host.settings_revision(&manifest.id, Role::Report);
    let revision = revision.unwrap_or_default().to_string();
    let arguments = kjerne_wire::reply(arguments).to_string();
    let parts = [&manifest.id, &manifest.version, &revision, name, &arguments];
    Ok(Seal::of(&key, &parts))
}

/// A panel with what it shows.
pub struct Shown {
    /// Its plugin.
    pub plugin: String,
    /// The panel, as it is declared.
    pub panel: Panel,
    /// Its card, or why there is none.
    pub card: Result<Card, AskError>,
}

/// Asks every plugin for the panels it has about a record, or about the day when there is none. One that fails
/// stands beside the others. Also tells whether all were asked, within their number and the time of the call.
///
/// # Errors
/// When the store cannot be read.
pub fn panels(
    runtime: &Runtime,
    call: &Call,
    about: Option<&Reference>,
) -> Result<(Vec<Shown>, bool)> {
    let stands = |panel: &Panel| match about {
        Some(record) => panel.kinds.contains(&record.kind),
        None => panel.today,
    };
    let (mut shown, mut asked) = (Vec::new(), 0);
    for package in packages(runtime, Role::Panel) {
        for panel in package.manifest.panels.iter().filter(|panel| stands(panel)) {
            if asked == PANELS_SHOWN.value || !goes_on(call)? {
                return Ok((shown, false));
            }
            asked += 1;
            let plugin = &package.manifest.id;
            let card = runtime.host.card(plugin, call, &panel.name, about);
            if let Some(card) = card.transpose() {
                shown.push(Shown {
                    plugin: plugin.clone(),
                    panel: panel.clone(),
                    card,
                });
            }
        }
    }
    Ok((shown, true))
}

/// Whether somebody still waits, and there is time left. A row is read for it, at which the reader looks.
fn goes_on(call: &Call) -> Result<bool> {
    match journal::last(&*call.reader) {
        Ok(_) => Ok(true),
        Err(StoreError::Halted(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
