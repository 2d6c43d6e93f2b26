//! Users, accounts and the people known there.

use kjerne_model::{Address, Change, Currency, Instant, Reference, Value};

use super::{Customer, DAY, Size, World, create, fields, money, name, text};
use crate::demo::names;

const INDUSTRIES: [&str; 8] = [
    "logistics",
    "energy",
    "seafood",
    "construction",
    "health",
    "software",
    "finance",
    "retail",
];
const TITLES: [(&str, &str); 9] = [
    ("Managing director", "economic_buyer"),
    ("Finance director", "economic_buyer"),
    ("Head of sales", "champion"),
    ("IT manager", "technical"),
    ("Architect", "technical"),
    ("Legal counsel", "legal"),
    ("Purchaser", "blocker"),
    ("Service coordinator", "user"),
    ("Team lead", "user"),
];

impl World {
    pub(crate) fn add_customers(&mut self, size: Size) {
        self.add_users();
        for number in 0..size.accounts {
            let share = size.contacts * (number + 1) / size.accounts.max(1)
                - size.contacts * number / size.accounts.max(1);
            self.add_customer(number, share.max(1));
        }
    }

    fn add_users(&mut self) {
        let at = self.start;
        let mut changes = Vec::new();
        for number in 1..=8 {
            let id = self.new_id(at);
            let (first, last) = names::person(&mut self.random);
            changes.push(create(
                "user",
                id,
                fields(&[
                    ("name", text(&format!("{first} {last}"))),
                    ("email", text(&format!("seller{number}@kjerne.example"))),
                    ("active", Value::Flag(true)),
                ]),
            ));
            self.owners.push(Reference::new(name("user"), id));
        }
        self.happen(at, changes);
    }

    fn add_customer(&mut self, number: usize, contacts: usize) {
        let days = self.random.between(0, 60);
        let at = self.working_time(self.start, days);
        let (company, host, country) = names::company(&mut self.random, number);
        let (_, country_code, currency, city) = names::COUNTRIES[country];
        let employees = self
            .random
            .weighted(&[(35, 5), (140, 6), (320, 4), (900, 2), (4_200, 1)]);
        let account = Reference::new(name("account"), self.new_id(at));
        let address = Address {
            street: format!("Demoveien {}", number + 1),
            postal_code: format!("{:04}", 100 + number * 7),
            city: city.to_owned(),
            region: String::new(),
            country: country_code.to_owned(),
        };
        let account_fields = fields(&[
            ("name", text(&company)),
            (
                "account_type",
                text(self.random.weighted(&[("customer", 6), ("prospect", 4)])),
            ),
            ("industry", text(self.random.pick(&INDUSTRIES))),
            (
                "tier",
                text(self.random.weighted(&[("A", 1), ("B", 3), ("C", 6)])),
            ),
            ("employees", Value::Integer(employees)),
            ("website", text(&format!("https://{host}"))),
            ("billing_address", Value::Address(address)),
            ("owner", self.owner()),
            ("external_id", text(&format!("demo-account-{number}"))),
        ]);
        let mut changes = vec![create("account", account.id, account_fields)];
        let mut people = Vec::new();
        for place in 0..contacts {
            // Every account has somebody who can sign, or no offer could ever be made to it.
            let job = if place == 0 {
                TITLES[0]
            } else {
                self.random.pick(&TITLES)
            };
            let (change, contact) = self.contact(at, &account, &host, job);
            changes.push(change);
            people.push(contact);
        }
        self.happen(at, changes);
        if let Ok(currency) = Currency::new(currency) {
            self.accounts.push(Customer {
                account,
                contacts: people,
                currency,
                since: at,
            });
        }
    }

    fn contact(
        &mut self,
        at: Instant,
        account: &Reference,
        host: &str,
        (title, role): (&str, &str),
    ) -> (Change, (Reference, String)) {
        let (first, last) = names::person(&mut self.random);
        let id = self.new_id(at);
        let email = format!("{}.{}@{host}", names::ascii(first), names::ascii(last));
        let contact_fields = fields(&[
            ("name", text(&format!("{first} {last}"))),
            ("first_name", text(first)),
            ("last_name", text(last)),
            ("email", text(&email)),
            (
                "phone",
                text(&format!("+47 000 {:05}", self.random.between(0, 99_999))),
            ),
            ("job_title", text(title)),
            ("buying_role", text(role)),
            ("account", Value::Reference(account.clone())),
        ]);
        let change = create("contact", id, contact_fields);
        (
            change,
            (Reference::new(name("contact"), id), role.to_owned()),
        )
    }

    /// A customer that was there at least so many days before the end, and its place in the list.
    pub(crate) fn some_customer(&mut self, days_before_end: i64) -> usize {
        let latest = self.end.plus_millis(-days_before_end * DAY);
        for _ in 0..20 {
            let which = self.random.place(self.accounts.len());
            if self.accounts[which].since < latest {
                return which;
            }
        }
        0
    }

    /// An amount that suits the currency, in major units, round as offers are.
    pub(crate) fn amount(&mut self, currency: Currency) -> Value {
        let base = self.random.between(8, 240) * 5_000;
        money(
            if currency.code() == "EUR" {
                base / 10
            } else {
                base
            },
            currency,
        )
    }
}
