//! Cases: how they came in, how soon they were answered, and how they ended.

use kjerne_model::{Instant, Reference, Value};

use super::{DAY, HOUR, World, create, fields, name, text, update};

const SUBJECTS: [(&str, &str); 7] = [
    ("Delivery has not arrived", "delivery"),
    ("The invoice is wrong", "invoice"),
    ("Cannot sign in", "access"),
    ("Machine stopped", "fault"),
    ("How do I change the address?", "question"),
    ("Want to end the agreement", "cancellation"),
    ("Sensor reports high temperature", "fault"),
];

impl World {
    pub(crate) fn add_cases(&mut self, count: usize) {
        for number in 0..count {
            let age = self.random.between(1, 400);
            let at = self.working_time(self.end, -age);
            self.add_case(number, at);
        }
    }

    fn add_case(&mut self, number: usize, at: Instant) {
        let which = self.some_customer((self.end.millis() - at.millis()) / DAY);
        let at = at.max(self.accounts[which].since.plus_millis(DAY));
        let account = self.accounts[which].account.clone();
        let known = self.random.place(self.accounts[which].contacts.len());
        let contact = self.accounts[which].contacts[known].0.clone();
        let (subject, category) = self.random.pick(&SUBJECTS);
        let channel: &str = if subject.starts_with("Sensor") {
            "device"
        } else {
            self.random
                .weighted(&[("email", 5), ("phone", 3), ("chat", 2), ("web", 2)])
        };
        let case = Reference::new(name("case"), self.new_id(at));
        let case_fields = fields(&[
            ("subject", text(subject)),
            ("status", text("new")),
            ("channel", text(channel)),
            ("category", text(category)),
            (
                "sentiment",
                text(self.random.pick(&["positive", "neutral", "negative"])),
            ),
            (
                "tier",
                text(self.random.weighted(&[("A", 1), ("B", 3), ("C", 6)])),
            ),
            ("language", text("nb")),
            ("account", Value::Reference(account.clone())),
            ("contact", Value::Reference(contact.clone())),
            ("received_at", Value::Instant(at)),
            ("thread", text(&format!("demo-thread-{number}"))),
        ]);
        self.happen(at, vec![create("case", case.id, case_fields)]);
        self.activity(
            at,
            subject,
            "email",
            &[
                ("about", &case),
                ("account", &account),
                ("contact", &contact),
                ("case", &case),
            ],
        );
        self.work_on_case(number, &case, at);
    }

    fn work_on_case(&mut self, number: usize, case: &Reference, at: Instant) {
        let minutes = self
            .random
            .weighted(&[(20, 5), (70, 5), (180, 4), (500, 2), (2_000, 1)]);
        let spread = self.random.between(0, minutes);
        let answered = at.plus_millis((minutes + spread) * 60_000);
        self.happen(
            answered,
            vec![update(
                case,
                &[
                    ("status", text("open")),
                    ("first_response_at", Value::Instant(answered)),
                ],
            )],
        );
        let resumed = if self.random.percent(35) {
            self.wait(case, answered)
        } else {
            answered
        };
        if self.random.percent(6) {
            return;
        }
        let hours = self.random.weighted(&[(3, 5), (20, 5), (50, 4), (120, 2)]);
        let extra = self.random.between(0, hours);
        let resolved = resumed.plus_millis((hours + extra) * HOUR);
        let minutes = self.random.between(5, 240);
        self.happen(
            resolved,
            vec![update(
                case,
                &[
                    ("status", text("resolved")),
                    ("resolved_at", Value::Instant(resolved)),
                    ("minutes_spent", Value::Integer(minutes)),
                ],
            )],
        );
        if number.is_multiple_of(17) {
            let days = self.random.between(1, 6);
            let at = self.working_time(resolved, days);
            self.happen(at, vec![update(case, &[("status", text("open"))])]);
        } else {
            self.close_case(number, case, resolved);
        }
    }

    /// We ask the customer something; the clock stands until the answer comes.
    fn wait(&mut self, case: &Reference, after: Instant) -> Instant {
        let minutes = self.random.between(10, 200);
        let asked = after.plus_millis(minutes * 60_000);
        let hours = self.random.between(2, 70);
        let answer = asked.plus_millis(hours * HOUR);
        self.happen(
            asked,
            vec![update(case, &[("status", text("waiting_customer"))])],
        );
        self.happen(answer, vec![update(case, &[("status", text("open"))])]);
        answer
    }

    fn close_case(&mut self, number: usize, case: &Reference, resolved: Instant) {
        let days = self.random.between(2, 5);
        let closed = self.working_time(resolved, days);
        let satisfaction = self.random.between(1, 5);
        self.happen(
            closed,
            vec![update(
                case,
                &[
                    ("status", text("closed")),
                    ("satisfaction", Value::Integer(satisfaction)),
                ],
            )],
        );
        if number.is_multiple_of(23) {
            // Much too late to go on with the old case.
            let late = self.working_time(closed, 60);
            self.mistake(late, update(case, &[("status", text("open"))]));
        }
    }
}
