//! Shows people what does not fit, as its settings say.

use std::hint::black_box;

use kjerne_sdk::cells;
use kjerne_sdk::prelude::*;

struct Plugin;

/// What the settings say: `behaviour = "short-row"`.
fn behaviour() -> String {
    let text = settings::text();
    let named = text
        .lines()
        .find_map(|line| line.strip_prefix("behaviour = "));
    named.unwrap_or_default().trim_matches('"').to_owned()
}

/// What is the same whatever is asked.
fn misbehave(behaviour: &str) -> Result<(), Failure> {
    match behaviour {
        "loop" => loop {
            black_box(());
        },
        "panic" => panic!("as the settings say"),
        "read" => records::get(&RecordRef::new(
            "contact",
            "01980000-0000-7000-8000-000000000001",
        ))
        .map(drop),
        "filter" => records::query("contact")
            .filter("name eq 'x'")
            .run()
            .map(drop),
        "keep" => state::set("key", "value"),
        "fail" => Err(Failure::new("as-told", "The settings say so.")),
        _ => Ok(()),
    }
}

impl Report for Plugin {
    fn rows(
        context: &Context,
        _: &str,
        arguments: &Fields,
        after: Option<&str>,
    ) -> Result<ReportPage, Failure> {
        let behaviour = behaviour();
        misbehave(&behaviour)?;
        let page = ReportPage::new();
        let one = || cells!["one", 1];
        Ok(match behaviour.as_str() {
            "short-row" => page.row(one()).row(cells!["two"]),
            "long-row" => page.row(cells!["two", 2, 3]),
            "wrong-cell" => page.row(cells!["two", "2"]),
            "no-value" => page.row(cells!["two", Value::Other(("area".into(), vec![1]))]),
            "many-rows" => (0..1_001).fold(page, |page, _| page.row(one())),
            "long-rows" => page.row(cells!["x".repeat(1_100_000), 1]),
            "huge" => page.row(cells!["x".repeat(12_000_000), 1]),
            "long-cursor" => page.next("x".repeat(513)),
            "same-cursor" => page.next("here"),
            "endless" => {
                let next: u64 = after.and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
                page.next(next.to_string())
            }
            // Three rows, a page each; the row tells who asks for what.
            _ => {
                let place: i64 = after.and_then(|text| text.parse().ok()).unwrap_or(0);
                let region = arguments.text("region").unwrap_or("anywhere");
                let page = page.row(cells![format!("{} {region}", context.actor()), place]);
                if place < 2 {
                    page.next((place + 1).to_string())
                } else {
                    page
                }
            }
        })
    }
}

impl Panel for Plugin {
    fn show(_: &Context, _: &str, about: Option<&RecordRef>) -> Result<Option<Card>, Failure> {
        let behaviour = behaviour();
        misbehave(&behaviour)?;
        let card = Card::new("Card");
        let figure = || Figure::new("f", "F", 1);
        let table = || Table::new("T").column("a", "A", "integer");
        let account = RecordRef::new("account", "01980000-0000-7000-8000-000000000001");
        let contact = RecordRef::new("contact", "01980000-0000-7000-8000-000000000001");
        Ok(Some(match behaviour.as_str() {
            "nothing" => return Ok(None),
            "many-items" => (0..501).fold(card, |card, _| card.figure(figure())),
            "most-items" => (0..500).fold(card, |card, _| card.figure(figure())),
            "long-text" => card.figure(Figure::new("f", "F", "x".repeat(140_000))),
            "huge" => card.figure(Figure::new("f", "F", "x".repeat(12_000_000))),
            "wrong-cell" => card.table(table().rows([cells!["one"]])),
            "short-row" => card.table(table().rows([cells![]])),
            "unknown-type" => {
                card.table(Table::new("T").column("a", "A", "area").rows([cells![1]]))
            }
            "wrong-point" => card.chart(Chart::new("bar", "C").series("S", [("a", Some("b"))])),
            "undeclared" => card.action("unknown", "", Fields::new()),
            "unknown-argument" => card.action("known", "", [("contact", contact.into())]),
            "wrong-argument" => card.action("known", "", [("account", contact.into())]),
            _ => card.figure(figure()).action(
                "known",
                "",
                [("account", about.unwrap_or(&account).into())],
            ),
        }))
    }
}

impl Scoring for Plugin {
    fn score(_: &Context, subjects: &[RecordRef]) -> Result<Vec<ScoredRecord>, Failure> {
        let behaviour = behaviour();
        misbehave(&behaviour)?;
        let rated = |subject: &RecordRef| ScoredRecord::rated(subject, Rating::new(50));
        let mut scored: Vec<ScoredRecord> = subjects.iter().map(rated).collect();
        match behaviour.as_str() {
            "missing" => drop(scored.pop()),
            "twice" => scored.extend(subjects.first().map(rated)),
            "stranger" => scored.push(rated(&RecordRef::new(
                "account",
                "01980000-0000-7000-8000-000000000099",
            ))),
            "too-good" => {
                for one in &mut scored {
                    if let Verdict::Rated(rating) = &mut one.verdict {
                        rating.points = 101;
                    }
                }
            }
            "silent" => {
                scored = subjects
                    .iter()
                    .map(|one| ScoredRecord::abstained(one, ""))
                    .collect();
            }
            _ => scored.reverse(),
        }
        Ok(scored)
    }
}

impl Action for Plugin {
    fn run(_: &Context, _: &str, _: &Fields, _: &Effects) -> Result<Fields, Failure> {
        Ok(Fields::new())
    }
}

kjerne_sdk::plugin!(Plugin: report, panel, scoring, action);
