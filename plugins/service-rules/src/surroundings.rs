//! What the rules look at besides the case: zones, the customer's account, the product, people.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kjerne_sdk::{Context, Failure, Fields, Instant, RecordRef, Zone, log, records};

use crate::condition::Facts;
use crate::fields::{add_facts, facts_of};
use crate::person::Person;
use crate::settings::Settings;

const DAY: i64 = 86_400_000;
/// How far before and after the case's own dates the rules may reckon.
const MARGIN: i64 = 800 * DAY;
/// The longest stretch the host answers for, a little less than 20 years. For what lies before it
/// the first offset is taken to hold.
const LONGEST: i64 = 7_300 * DAY;

/// How far from now the dates of a case may lie: what was written for "never" or for "long ago" would
/// be reckoned with day by day.
const REACH: i64 = 50 * 365 * DAY;

/// Whether a time is near enough to be reckoned with.
pub fn is_in_reach(now: i64, at: i64) -> bool {
    now.abs_diff(at) <= REACH.unsigned_abs()
}

/// The surroundings of one call. A record that several cases point to is read once.
pub struct Surroundings {
    /// The zones of all calendars, by name.
    pub zones: BTreeMap<String, Zone>,
    /// Whether the rules ask about the account or the product: when triaging, and otherwise.
    account: (bool, bool),
    product: (bool, bool),
    read: RefCell<BTreeMap<String, Fields>>,
}

impl Surroundings {
    /// Asks the host for the zones, once each, over a stretch that holds all these points in time.
    pub fn load(
        settings: &Settings,
        context: &Context,
        instants: impl IntoIterator<Item = i64>,
    ) -> Result<Self, Failure> {
        let now = context.now().millis();
        let (mut first, mut last) = (now, now);
        for at in instants.into_iter().filter(|at| is_in_reach(now, *at)) {
            (first, last) = (first.min(at), last.max(at));
        }
        let to = Instant::from_millis(last.saturating_add(MARGIN));
        let from = Instant::from_millis(first.saturating_sub(MARGIN)).max(to.plus_millis(-LONGEST));
        let mut zones = BTreeMap::from([("UTC".to_owned(), Zone::utc())]);
        for calendar in settings.calendars.values() {
            if !zones.contains_key(&calendar.zone) {
                let zone = Zone::load(&calendar.zone, from, to).map_err(|failure| {
                    Failure::new(
                        "bad-settings",
                        format!("time_zone '{}': {}", calendar.zone, failure.message),
                    )
                })?;
                zones.insert(calendar.zone.clone(), zone);
            }
        }
        Ok(Self {
            zones,
            // Triage copies the account's tier to the case, so it always looks at the account.
            account: (true, settings.clock_asks("account_")),
            product: (
                settings.triage_asks("product"),
                settings.clock_asks("product"),
            ),
            read: RefCell::default(),
        })
    }

    /// What is known about a case, for triage or only for its clock.
    pub fn facts(&self, case: &Fields, triaging: bool) -> Facts {
        let mut facts = facts_of(case);
        let wanted = |(triage, clock): (bool, bool)| if triaging { triage } else { clock };
        if let Some(account) = case.reference("account").filter(|_| wanted(self.account)) {
            add_facts(
                &mut facts,
                &self.fields(account),
                &[
                    ("account_type", &["account_type"]),
                    ("account_tier", &["tier"]),
                    ("account_segment", &["segment"]),
                    ("account_industry", &["industry"]),
                    ("account_region", &["region"]),
                    ("account_service_strategy", &["service_strategy"]),
                ],
            );
        }
        if let Some(product) = case.reference("product").filter(|_| wanted(self.product)) {
            add_facts(
                &mut facts,
                &self.fields(product),
                &[
                    ("product", &["name", "sku", "external_id"]),
                    ("product_family", &["family"]),
                ],
            );
        }
        facts
    }

    /// The user a rule means, for this case. Nobody is found when the case has no owner, the owner
    /// nobody above them, or the address is nobody's.
    pub fn find(&self, person: &Person, case: &Fields) -> Option<RecordRef> {
        match person {
            Person::User(id) => Some(RecordRef::new("user", id)),
            Person::Email(address) => self.by_address(address),
            Person::Owner => case.reference("owner").cloned(),
            Person::AccountOwner => self
                .fields(case.reference("account")?)
                .reference("owner")
                .cloned(),
            Person::Manager => self.manager(case.reference("owner")?),
            Person::Queue => None,
        }
    }

    /// Whoever a user reports to, or else leads the user's team.
    fn manager(&self, user: &RecordRef) -> Option<RecordRef> {
        let user = self.fields(user);
        let above = user.reference("manager").cloned();
        above.or_else(|| {
            self.fields(user.reference("team")?)
                .reference("manager")
                .cloned()
        })
    }

    fn by_address(&self, address: &str) -> Option<RecordRef> {
        let condition = format!("email eq '{}'", address.replace('\'', "''"));
        let found = records::query("user").filter(condition).limit(1).run();
        match found {
            Ok(page) if page.records.is_empty() => {
                // The address is from the settings, not from a record.
                log::warn("The settings name an e-mail address that no user has; nobody was set.");
                None
            }
            Ok(page) => page.records.first().map(kjerne_sdk::Record::reference),
            Err(failure) => {
                log::warn(format!("Users could not be looked up: {}", failure.message));
                None
            }
        }
    }

    /// A record's fields, empty when it cannot be read: a rule that looks at it does not fit then.
    fn fields(&self, target: &RecordRef) -> Fields {
        if let Some(known) = self.read.borrow().get(&target.id) {
            return known.clone();
        }
        let fields = match records::get(target) {
            Ok(record) => record.map(|record| record.fields).unwrap_or_default(),
            Err(failure) => {
                log::warn(format!(
                    "A {} could not be read: {}",
                    target.kind, failure.message
                ));
                Fields::new()
            }
        };
        self.read
            .borrow_mut()
            .insert(target.id.clone(), fields.clone());
        fields
    }
}
