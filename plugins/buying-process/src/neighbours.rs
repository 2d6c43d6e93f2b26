//! A buying job among the others of its opportunity, with what the commit under way does to them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kjerne_sdk::{Change, Failure, Fields, Operation, RecordRef, records};

use crate::rows::{Entry, Surroundings};
use crate::situation::State;

/// The most buying jobs of one opportunity that are looked at.
const MOST: u32 = 200;

/// What the guard looks at beside the change itself. Reads each opportunity and stakeholder once.
pub struct Neighbours<'a> {
    changes: &'a [Change],
    entries: RefCell<BTreeMap<String, Vec<Entry>>>,
    homes: RefCell<BTreeMap<String, Option<String>>>,
    seats: RefCell<BTreeMap<String, Vec<Seat>>>,
    failure: RefCell<Option<Failure>>,
}

impl<'a> Neighbours<'a> {
    /// The neighbours of the changes of one call.
    pub fn new(changes: &'a [Change]) -> Self {
        Self {
            changes,
            entries: RefCell::default(),
            homes: RefCell::default(),
            seats: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// What went wrong while reading, if anything did.
    pub fn failure(self) -> Option<Failure> {
        self.failure.into_inner()
    }

    fn read<T: Default>(&self, found: Result<T, Failure>) -> T {
        found.unwrap_or_else(|failure| {
            self.failure.replace(Some(failure));
            T::default()
        })
    }

    fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &'a Change> {
        self.changes
            .iter()
            .filter(move |change| change.kind == kind)
    }

    /// The buying jobs of an opportunity once the commit is stored.
    fn entries_of(&self, opportunity: &str) -> Vec<Entry> {
        let target = RecordRef::new("opportunity", opportunity);
        let stored = self.read(records::related(&target, "buying_job", "opportunity", MOST));
        let stored = stored
            .iter()
            .map(|record| entry(&record.id, &record.fields));
        let untouched = stored.filter(|entry| {
            self.of_kind("buying_job")
                .all(|change| change.id != entry.id)
        });
        let proposed = self
            .of_kind("buying_job")
            .filter(|change| change.operation != Operation::Delete)
            .map(|change| entry(&change.id, &change.after))
            .filter(|entry| entry.opportunity == opportunity);
        untouched.chain(proposed).collect()
    }

    /// The stakeholders of an opportunity once the commit is stored, as far as their person may be seen.
    fn seats_of(&self, opportunity: &str) -> Vec<Seat> {
        let target = RecordRef::new("opportunity", opportunity);
        let stored = records::related(&target, "stakeholder", "opportunity", MOST);
        let stored = self.read(stored);
        let stored = stored
            .iter()
            .filter_map(|record| Seat::of(&record.id, &record.fields));
        let untouched = stored.filter(|seat| {
            self.of_kind("stakeholder")
                .all(|change| change.id != seat.stakeholder)
        });
        let proposed = self
            .of_kind("stakeholder")
            .filter(|change| change.operation != Operation::Delete)
            .filter_map(|change| Seat::of(&change.id, &change.after))
            .filter(|seat| seat.opportunity == opportunity);
        untouched.chain(proposed).collect()
    }

    /// Whether somebody else of the opportunity is the same person in the same role.
    pub fn has_double(&self, change: &Change) -> bool {
        let Some(own) = Seat::of(&change.id, &change.after) else {
            return false;
        };
        let mut known = self.seats.borrow_mut();
        let seats = known
            .entry(own.opportunity.clone())
            .or_insert_with(|| self.seats_of(&own.opportunity));
        seats.iter().any(|other| other.is_double(&own))
    }

    fn home_of(&self, stakeholder: &str) -> Option<String> {
        let proposed = self
            .of_kind("stakeholder")
            .find(|change| change.id == stakeholder);
        let opportunity =
            |fields: &Fields| fields.reference("opportunity").map(|home| home.id.clone());
        match proposed {
            Some(change) => opportunity(&change.after),
            None => {
                let target = RecordRef::new("stakeholder", stakeholder);
                self.read(records::get(&target))
                    .and_then(|record| opportunity(&record.fields))
            }
        }
    }
}

impl Surroundings for Neighbours<'_> {
    fn opportunity_of(&self, stakeholder: &str) -> Option<String> {
        let mut homes = self.homes.borrow_mut();
        homes
            .entry(stakeholder.to_owned())
            .or_insert_with(|| self.home_of(stakeholder))
            .clone()
    }

    fn has_twin(&self, entry: &Entry) -> bool {
        let mut known = self.entries.borrow_mut();
        let entries = known
            .entry(entry.opportunity.clone())
            .or_insert_with(|| self.entries_of(&entry.opportunity));
        entries.iter().any(|other| {
            other.id != entry.id && other.job == entry.job && other.stakeholder == entry.stakeholder
        })
    }
}

/// Who has which role in which opportunity.
struct Seat {
    stakeholder: String,
    opportunity: String,
    contact: String,
    role: String,
}

impl Seat {
    /// None where the person or the role is not said, or may not be seen.
    fn of(id: &str, fields: &Fields) -> Option<Self> {
        let target = |name| fields.reference(name).map(|target| target.id.clone());
        Some(Self {
            stakeholder: id.to_owned(),
            opportunity: target("opportunity")?,
            contact: target("contact")?,
            role: fields.text("role")?.to_owned(),
        })
    }

    fn is_double(&self, other: &Self) -> bool {
        self.stakeholder != other.stakeholder
            && self.contact == other.contact
            && self.role == other.role
    }
}

/// A buying job as the rules look at it.
pub fn entry(id: &str, fields: &Fields) -> Entry {
    let target = |name| fields.reference(name).map(|target| target.id.clone());
    Entry {
        id: id.to_owned(),
        opportunity: target("opportunity").unwrap_or_default(),
        job: fields.text("job").unwrap_or_default().to_owned(),
        stakeholder: target("stakeholder"),
        state: State::named(fields.text("state").unwrap_or_default()),
        validated: fields.flag("validated"),
        agrees: fields.flag("agrees"),
        evidence: fields.reference("evidence").is_some(),
        note: fields.text("evidence_note").is_some(),
        since: fields
            .instant("state_since")
            .map(kjerne_sdk::Instant::millis),
        reopened: fields.integer("reopened_times"),
    }
}
