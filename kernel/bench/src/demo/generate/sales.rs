//! Opportunities: their stages over time, the buying group, and how far each of its members is
//! with the six jobs.

use kjerne_model::{Instant, Reference, Value};

use super::{DAY, World, create, fields, name, text, update};

const STAGES: [&str; 5] = ["prospect", "qualify", "discover", "propose", "negotiate"];
const JOBS: [&str; 6] = [
    "problem_identification",
    "solution_exploration",
    "requirements_building",
    "supplier_selection",
    "validation",
    "consensus_creation",
];
const NEEDS: [&str; 8] = [
    "Fleet renewal",
    "Service desk",
    "Route planning",
    "Warehouse floor",
    "Energy review",
    "Spare parts",
    "Customer portal",
    "Support agreement",
];

/// How an opportunity goes in the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Won,
    Lost,
    Open,
}

/// An opportunity under way.
struct Deal {
    opportunity: Reference,
    account: Reference,
    group: Vec<Member>,
}

/// A member of the buying group, with the rows of the jobs begun.
struct Member {
    stakeholder: Reference,
    contact: Reference,
    jobs: Vec<(usize, Reference, &'static str)>,
}

impl World {
    pub(crate) fn add_opportunities(&mut self, count: usize) {
        for number in 0..count {
            let ending =
                self.random
                    .weighted(&[(Ending::Won, 26), (Ending::Lost, 32), (Ending::Open, 42)]);
            // An open opportunity began lately; a closed one long enough ago to have ended.
            let age = match ending {
                Ending::Open => self.random.between(5, 150),
                _ => self.random.between(160, 460),
            };
            let at = self.working_time(self.end, -age);
            self.add_opportunity(number, at, ending);
        }
    }

    fn add_opportunity(&mut self, number: usize, at: Instant, ending: Ending) {
        let which = self.some_customer((self.end.millis() - at.millis()) / DAY);
        let at = at.max(self.accounts[which].since.plus_millis(DAY));
        let deal = self.open_deal(number, which, at);
        // What is won has been through every stage; what is lost can be lost anywhere.
        let last = match ending {
            Ending::Won => 4,
            Ending::Lost => self.random.between(1, 4) as usize,
            Ending::Open => self.random.between(0, 4) as usize,
        };
        let (deal, now) = self.walk_stages(deal, at, last);
        match ending {
            Ending::Won => self.close(&deal, now, "won"),
            Ending::Lost => self.close(&deal, now, "lost"),
            Ending::Open if number.is_multiple_of(9) => self.mistakes(&deal, now),
            Ending::Open => {}
        }
    }

    fn open_deal(&mut self, number: usize, which: usize, at: Instant) -> Deal {
        let account = self.accounts[which].account.clone();
        let currency = self.accounts[which].currency;
        let need = self.random.pick(&NEEDS);
        let opportunity = Reference::new(name("opportunity"), self.new_id(at));
        let days_to_close = self.random.between(60, 200);
        let closing = at.plus_millis(days_to_close * DAY).date();
        let opportunity_fields = fields(&[
            ("name", text(&format!("{need} {}", number + 1))),
            ("account", Value::Reference(account.clone())),
            ("pipeline", text("standard")),
            ("stage", text("prospect")),
            ("amount", self.amount(currency)),
            ("closing_date", Value::Date(closing)),
            ("opened_at", Value::Instant(at)),
            ("next_step", text("Call to agree on a first meeting")),
            (
                "source",
                text(self.random.pick(&["web", "referral", "event", "outbound"])),
            ),
            ("owner", self.owner()),
        ]);
        self.happen(
            at,
            vec![create("opportunity", opportunity.id, opportunity_fields)],
        );
        let group = self.buying_group(which, &opportunity, at);
        Deal {
            opportunity,
            account,
            group,
        }
    }

    fn buying_group(&mut self, which: usize, opportunity: &Reference, at: Instant) -> Vec<Member> {
        let contacts = self.accounts[which].contacts.clone();
        let mut group = Vec::new();
        for (place, (contact, role)) in contacts.iter().take(7).enumerate() {
            let at = at.plus_millis((place as i64 + 1) * 60_000);
            let id = self.new_id(at);
            let stakeholder_fields = fields(&[
                ("opportunity", Value::Reference(opportunity.clone())),
                ("contact", Value::Reference(contact.clone())),
                ("role", text(role)),
                (
                    "influence",
                    text(self.random.pick(&["low", "medium", "high", "decisive"])),
                ),
                (
                    "attitude",
                    text(self.random.weighted(&[
                        ("champion", 1),
                        ("supportive", 4),
                        ("neutral", 4),
                        ("sceptical", 2),
                        ("opposed", 1),
                    ])),
                ),
            ]);
            self.happen(at, vec![create("stakeholder", id, stakeholder_fields)]);
            let stakeholder = Reference::new(name("stakeholder"), id);
            group.push(Member {
                stakeholder,
                contact: contact.clone(),
                jobs: Vec::new(),
            });
        }
        group
    }

    /// Goes through the stages up to number `last`, with the group doing its own jobs meanwhile.
    fn walk_stages(&mut self, mut deal: Deal, at: Instant, last: usize) -> (Deal, Instant) {
        let mut now = at;
        for (number, stage) in STAGES.iter().enumerate().take(last + 1) {
            if number > 0 {
                // Longer than the week in which the group works on its jobs.
                let days = self.random.between(9, 24);
                now = self.working_time(now, days);
                if *stage == "propose" {
                    self.send_quote(&deal, now);
                    now = now.plus_millis(60_000);
                }
                let step = format!("Agree what it takes to leave {stage}");
                let moved = update(
                    &deal.opportunity,
                    &[("stage", text(stage)), ("next_step", text(&step))],
                );
                self.happen(now, vec![moved]);
            }
            self.work_on_jobs(&mut deal, now, number);
        }
        (deal, now)
    }

    fn send_quote(&mut self, deal: &Deal, at: Instant) {
        let id = self.new_id(at);
        let quote_fields = fields(&[
            ("name", text("Offer")),
            ("opportunity", Value::Reference(deal.opportunity.clone())),
            ("account", Value::Reference(deal.account.clone())),
            ("status", text("sent")),
        ]);
        self.happen(at, vec![create("quote", id, quote_fields)]);
    }

    /// What the group does while we are in stage number `stage`: they talk with us, begin a job,
    /// finish one, and now and then go back to one that was done.
    fn work_on_jobs(&mut self, deal: &mut Deal, at: Instant, stage: usize) {
        for member in 0..deal.group.len() {
            if self.random.percent(30) {
                continue;
            }
            let days = self.random.between(1, 5);
            let now = self.working_time(at, days);
            let (opportunity, account) = (deal.opportunity.clone(), deal.account.clone());
            let contact = deal.group[member].contact.clone();
            let channel = self.random.pick(&["meeting", "call", "email", "demo"]);
            self.activity(
                now,
                "Talk about the purchase",
                channel,
                &[
                    ("about", &opportunity),
                    ("account", &account),
                    ("opportunity", &opportunity),
                    ("contact", &contact),
                ],
            );
            self.move_job(deal, member, now.plus_millis(60_000), stage);
        }
    }

    fn move_job(&mut self, deal: &mut Deal, member: usize, at: Instant, stage: usize) {
        let begun = deal.group[member].jobs.len();
        let open = deal.group[member]
            .jobs
            .iter()
            .position(|(_, _, state)| *state != "done");
        let done = deal.group[member]
            .jobs
            .iter()
            .position(|(_, _, state)| *state == "done");
        match (open, done) {
            (Some(which), _) if self.random.percent(70) => {
                self.set_job(deal, member, which, at, "done");
            }
            (_, Some(which)) if self.random.percent(12) => {
                self.set_job(deal, member, which, at, "working");
            }
            _ if begun < JOBS.len().min(stage + 2) => self.begin_job(deal, member, at, begun),
            _ => {}
        }
    }

    fn begin_job(&mut self, deal: &mut Deal, member: usize, at: Instant, job: usize) {
        let id = self.new_id(at);
        let job_fields = fields(&[
            ("opportunity", Value::Reference(deal.opportunity.clone())),
            (
                "stakeholder",
                Value::Reference(deal.group[member].stakeholder.clone()),
            ),
            ("job", text(JOBS[job])),
            ("state", text("working")),
        ]);
        self.happen(at, vec![create("buying_job", id, job_fields)]);
        let row = Reference::new(name("buying_job"), id);
        deal.group[member].jobs.push((job, row, "working"));
    }

    fn set_job(
        &mut self,
        deal: &mut Deal,
        member: usize,
        which: usize,
        at: Instant,
        state: &'static str,
    ) {
        let row = deal.group[member].jobs[which].1.clone();
        let mut values = vec![("state", text(state))];
        if state == "done" {
            values.push((
                "evidence_note",
                text("Said so in our talk; minutes were sent"),
            ));
            values.push(("validated", Value::Flag(self.random.percent(60))));
            values.push(("agrees", Value::Flag(self.random.percent(70))));
        }
        self.happen(at, vec![update(&row, &values)]);
        deal.group[member].jobs[which].2 = state;
    }

    fn close(&mut self, deal: &Deal, after: Instant, stage: &str) {
        let days = self.random.between(5, 20);
        let at = self.working_time(after, days);
        let mut values = vec![("stage", text(stage))];
        if stage == "lost" {
            let reasons = ["no_decision", "price", "competitor", "timing"];
            values.push(("lost_reason", text(self.random.pick(&reasons))));
        }
        self.happen(at, vec![update(&deal.opportunity, &values)]);
    }

    /// What people try and the rules refuse: a leap over the stages, a loss without a reason, a
    /// stage nobody has heard of.
    fn mistakes(&mut self, deal: &Deal, after: Instant) {
        let at = self.working_time(after, 1);
        self.mistake(at, update(&deal.opportunity, &[("stage", text("lost"))]));
        self.mistake(
            at.plus_millis(60_000),
            update(&deal.opportunity, &[("stage", text("signed"))]),
        );
        self.mistake(
            at.plus_millis(120_000),
            update(
                &deal.opportunity,
                &[
                    ("pipeline", text("standard")),
                    ("closing_date", text("next spring")),
                ],
            ),
        );
    }
}
