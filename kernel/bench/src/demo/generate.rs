//! Makes the demo's events: everything that happened in a workspace over its time, in order.

mod cases;
mod customers;
mod sales;

use kjerne_model::{
    Change, Currency, Fields, Instant, Money, Name, Patch, RecordId, Reference, Target, Value,
};

use super::random::Random;

/// How much to make.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Accounts.
    pub accounts: usize,
    /// Contacts, spread over the accounts.
    pub contacts: usize,
    /// Opportunities.
    pub opportunities: usize,
    /// Cases.
    pub cases: usize,
    /// Activities, those of opportunities and cases included.
    pub activities: usize,
    /// Months the events are spread over.
    pub months: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            accounts: 200,
            contacts: 700,
            opportunities: 350,
            cases: 400,
            activities: 6_000,
            months: 18,
        }
    }
}

/// Something that happened: one commit's changes, at a time.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// What.
    pub changes: Vec<Change>,
    /// A mistake somebody made: it is committed by itself, and a rule is expected to refuse it.
    pub mistake: bool,
}

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// The events under way, and what later events refer to.
struct World {
    random: Random,
    start: Instant,
    end: Instant,
    events: Vec<Event>,
    owners: Vec<Reference>,
    accounts: Vec<Customer>,
    activities: usize,
}

/// An account with the people known there.
struct Customer {
    account: Reference,
    contacts: Vec<(Reference, String)>,
    currency: Currency,
    since: Instant,
}

/// All events of a workspace, sorted by time; the same seed and size give the same events.
pub fn events(seed: u64, size: Size, end: Instant) -> Vec<Event> {
    let start = end.plus_millis(-(size.months as i64) * 30 * DAY);
    let mut world = World {
        random: Random::new(seed),
        start,
        end,
        events: Vec::new(),
        owners: Vec::new(),
        accounts: Vec::new(),
        activities: 0,
    };
    world.add_customers(size);
    world.add_opportunities(size.opportunities);
    world.add_cases(size.cases);
    world.fill_timeline(size.activities);
    world.events.retain(|event| event.at <= end);
    world.events.sort_by_key(|event| event.at);
    world.events
}

impl World {
    fn new_id(&mut self, at: Instant) -> RecordId {
        RecordId::v7(at, self.random.wide())
    }

    /// A working hour of the day that lies `days` after an instant (before it, when negative):
    /// Monday to Friday, 8 to 16 in UTC+1.
    fn working_time(&mut self, after: Instant, days: i64) -> Instant {
        let date = after.plus_millis(days * DAY).date();
        // 1970-01-01 was a Thursday: days 2 and 3 after it were the weekend.
        let weekend_shift = match date.days().rem_euclid(7) {
            2 => 2,
            3 => 1,
            _ => 0,
        };
        let minutes = self.random.between(7 * 60, 15 * 60);
        let midnight = Instant::at_midnight(date).plus_millis(weekend_shift * DAY);
        let at = midnight.plus_millis(minutes * 60_000);
        if days < 0 {
            at
        } else {
            at.max(after.plus_millis(60_000))
        }
    }

    fn happen(&mut self, at: Instant, changes: Vec<Change>) {
        self.events.push(Event {
            at,
            changes,
            mistake: false,
        });
    }

    fn mistake(&mut self, at: Instant, change: Change) {
        self.events.push(Event {
            at,
            changes: vec![change],
            mistake: true,
        });
    }

    fn owner(&mut self) -> Value {
        let which = self.random.place(self.owners.len());
        Value::Reference(self.owners[which].clone())
    }

    /// One more line of the timeline.
    fn activity(
        &mut self,
        at: Instant,
        subject: &str,
        channel: &str,
        links: &[(&str, &Reference)],
    ) {
        let id = self.new_id(at);
        let direction = self.random.pick(&["inbound", "outbound"]);
        let mut fields = fields(&[
            ("subject", text(subject)),
            ("channel", text(channel)),
            ("direction", text(direction)),
            ("at", Value::Instant(at)),
            ("minutes", Value::Integer(self.random.between(3, 55))),
        ]);
        for (field, target) in links {
            fields.insert(name(field), Value::Reference((*target).clone()));
        }
        self.activities += 1;
        self.happen(at, vec![create("activity", id, fields)]);
    }

    /// Talk with customers that belongs to nothing else, until there are as many activities as
    /// asked for.
    fn fill_timeline(&mut self, wanted: usize) {
        const TALK: [(&str, &str); 6] = [
            ("Newsletter opened", "email"),
            ("Check-in call", "call"),
            ("Question about delivery", "email"),
            ("Visited the price page", "web"),
            ("Chat about opening hours", "chat"),
            ("Annual review", "meeting"),
        ];
        while self.activities < wanted && !self.accounts.is_empty() {
            let which = self.random.place(self.accounts.len());
            let customer = &self.accounts[which];
            let (account, since) = (customer.account.clone(), customer.since);
            let contact = customer.contacts[self.random.place(customer.contacts.len())]
                .0
                .clone();
            let span = ((self.end.millis() - since.millis()) / DAY - 3).max(1);
            let days = self.random.between(1, span);
            let at = self.working_time(since, days).min(self.end);
            let (subject, channel) = self.random.pick(&TALK);
            self.activity(
                at,
                subject,
                channel,
                &[
                    ("about", &account),
                    ("account", &account),
                    ("contact", &contact),
                ],
            );
        }
    }
}

fn name(text: &str) -> Name {
    #[expect(
        clippy::expect_used,
        reason = "the demo's field names are constants, and a test runs it"
    )]
    Name::new(text).expect("a constant name")
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn fields(pairs: &[(&str, Value)]) -> Fields {
    pairs
        .iter()
        .map(|(field, value)| (name(field), value.clone()))
        .collect()
}

fn create(kind: &str, id: RecordId, fields: Fields) -> Change {
    Change::Create {
        kind: name(kind),
        id: Some(id),
        fields,
    }
}

fn update(target: &Reference, pairs: &[(&str, Value)]) -> Change {
    let patch: Patch = pairs
        .iter()
        .map(|(field, value)| (name(field), Some(value.clone())))
        .collect();
    let target = Target {
        kind: target.kind.clone(),
        id: target.id,
        expected: None,
    };
    Change::Update { target, patch }
}

fn money(major: i64, currency: Currency) -> Value {
    Value::Money(Money {
        minor: major * 10i64.pow(u32::from(currency.exponent())),
        currency,
    })
}
