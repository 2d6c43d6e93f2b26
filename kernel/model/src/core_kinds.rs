//! The core kinds, as data. Later kinds and fields are added beside these, never instead.
//!
//! Every kind has `external_id`: the key the record has in the system it was imported from, unique
//! within the kind, so that an import can be repeated and files can refer to one another.

use crate::kind::{Choice, Field, FieldType, Kind, PersonalData};
use crate::name::Name;

/// The kinds every workspace begins with.
///
/// # Panics
/// Never: the names below are names, which a test confirms.
#[must_use]
pub fn core_kinds() -> Vec<Kind> {
    let mut kinds = vec![account(), contact(), lead(), opportunity()];
    kinds.extend(buying_group());
    kinds.extend(commerce());
    kinds.extend(timeline());
    kinds.extend(service());
    kinds.extend(privacy_and_signals());
    kinds.extend(people());
    kinds
}

fn account() -> Kind {
    kind(
        "account",
        vec![
            text("name").required().indexed(),
            text("org_number").indexed(),
            choice(
                "account_type",
                &[
                    "prospect",
                    "customer",
                    "partner",
                    "supplier",
                    "competitor",
                    "former",
                    "other",
                ],
            )
            .indexed(),
            text("industry").indexed(),
            text("segment").indexed(),
            open_choice("tier").indexed(),
            text("size_band"),
            integer("employees"),
            money("annual_revenue"),
            text("revenue_band"),
            text("region").indexed(),
            url("website"),
            phone("phone"),
            email("email"),
            address("billing_address"),
            address("shipping_address"),
            reference("parent", &["account"]).hierarchy(),
            reference("owner", &["user"]),
            reference("team", &["team"]),
            choice(
                "service_strategy",
                &[
                    "respond_to_desire",
                    "curated_offering",
                    "coach_behaviour",
                    "automatic_execution",
                ],
            ),
            date("renewal_date"),
            date("customer_since"),
            long_text("description"),
        ],
    )
}

fn contact() -> Kind {
    kind(
        "contact",
        vec![
            text("name").required().indexed().identifying(),
            text("first_name").identifying(),
            text("last_name").indexed().identifying(),
            email("email").indexed().identifying(),
            phone("phone").identifying(),
            phone("mobile").identifying(),
            reference("account", &["account"]),
            text("job_title").describing(),
            text("department").describing(),
            text("seniority").describing(),
            text("job_function").describing(),
            text("buying_role").describing(),
            text("language"),
            address("address").identifying(),
            reference("owner", &["user"]),
            long_text("description").describing(),
        ],
    )
}

fn lead() -> Kind {
    kind(
        "lead",
        vec![
            text("name").required().indexed().identifying(),
            text("company").indexed(),
            email("email").indexed().identifying(),
            phone("phone").identifying(),
            text("job_title").describing(),
            choice(
                "status",
                &["new", "working", "qualified", "unqualified", "converted"],
            )
            .indexed(),
            text("source").indexed(),
            text("channel"),
            integer("score"),
            reference("account", &["account"]),
            reference("contact", &["contact"]),
            reference("campaign", &["campaign"]),
            reference("owner", &["user"]),
            text("owner_code").indexed(),
            instant("received_at").indexed(),
            long_text("description").describing(),
        ],
    )
}

fn opportunity() -> Kind {
    kind(
        "opportunity",
        vec![
            text("name").required().indexed(),
            reference("account", &["account"]),
            reference("contact", &["contact"]),
            reference("lead", &["lead"]),
            reference("campaign", &["campaign"]),
            open_choice("pipeline").indexed(),
            open_choice("stage").indexed(),
            instant("stage_since"),
            integer("probability"),
            open_choice("forecast_category").indexed(),
            money("amount"),
            date("closing_date").indexed(),
            date("closed_on").indexed(),
            open_choice("lost_reason"),
            text("lost_to"),
            text("next_step"),
            text("opportunity_type"),
            text("source"),
            reference("owner", &["user"]),
            reference("team", &["team"]),
            instant("opened_at").indexed(),
            instant("last_activity_at"),
            // What the bound buying-process model wrote back.
            integer("buying_progress"),
            integer("buying_gap"),
            integer("rework_risk"),
            integer("no_decision_risk"),
            text("next_best_action"),
            instant("assessed_at"),
            long_text("description"),
        ],
    )
}

/// The customer's side of an opportunity: who decides, and where each of them stands.
fn buying_group() -> Vec<Kind> {
    vec![
        kind(
            "stakeholder",
            vec![
                reference("opportunity", &["opportunity"]).required(),
                reference("contact", &["contact"]),
                text("name").identifying(),
                open_choice("role").required().indexed(),
                choice("influence", &["low", "medium", "high", "decisive"]),
                choice(
                    "attitude",
                    &["opposed", "sceptical", "neutral", "supportive", "champion"],
                ),
                long_text("goals").describing(),
                date("last_contact"),
            ],
        ),
        kind(
            "buying_job",
            vec![
                reference("opportunity", &["opportunity"]).required(),
                reference("stakeholder", &["stakeholder"]),
                open_choice("job").required().indexed(),
                choice("state", &["not_started", "working", "done", "reopened"]).required(),
                flag("validated"),
                flag("agrees"),
                reference("evidence", &["activity"]),
                text("evidence_note").describing(),
                instant("state_since"),
                integer("reopened_times"),
            ],
        ),
    ]
}

fn commerce() -> Vec<Kind> {
    vec![
        kind(
            "product",
            vec![
                text("name").required().indexed(),
                text("sku").unique(),
                text("family").indexed(),
                money("list_price"),
                flag("active"),
                long_text("description"),
            ],
        ),
        kind(
            "quote",
            vec![
                text("name").required(),
                reference("opportunity", &["opportunity"]),
                reference("account", &["account"]),
                choice(
                    "status",
                    &["draft", "sent", "accepted", "rejected", "expired"],
                )
                .indexed(),
                money("total"),
                date("valid_until"),
            ],
        ),
        kind(
            "quote_line",
            vec![
                reference("quote", &["quote"]).required(),
                reference("product", &["product"]),
                decimal("quantity"),
                money("unit_price"),
                decimal("discount_percent"),
                text("description"),
            ],
        ),
        kind(
            "contract",
            vec![
                text("name").required(),
                choice("contract_type", &["order", "contract", "subscription"])
                    .required()
                    .indexed(),
                reference("account", &["account"]).required(),
                reference("opportunity", &["opportunity"]),
                money("value"),
                date("start_date"),
                date("renewal_date").indexed(),
                choice("status", &["draft", "active", "ended", "cancelled"]).indexed(),
            ],
        ),
        kind(
            "campaign",
            vec![
                text("name").required().indexed(),
                text("channel"),
                choice("status", &["planned", "running", "ended"]),
                money("budget"),
                date("start_date"),
                date("end_date"),
            ],
        ),
    ]
}

fn timeline() -> Vec<Kind> {
    let subjects = &[
        "account",
        "contact",
        "lead",
        "opportunity",
        "case",
        "campaign",
    ];
    vec![
        kind(
            "activity",
            vec![
                text("subject").required().describing(),
                choice(
                    "channel",
                    &[
                        "email", "call", "meeting", "chat", "sms", "post", "form", "visit",
                        "letter", "device", "demo", "web", "other",
                    ],
                )
                .required()
                .indexed(),
                choice("direction", &["inbound", "outbound", "internal"]),
                instant("at").required().indexed(),
                text("thread").indexed(),
                reference("about", subjects),
                reference("account", &["account"]),
                reference("contact", &["contact"]),
                reference("lead", &["lead"]),
                reference("opportunity", &["opportunity"]),
                reference("case", &["case"]),
                text("outcome"),
                text("owner_code"),
                integer("minutes"),
                reference("owner", &["user"]),
                long_text("body").describing(),
            ],
        ),
        kind(
            "task",
            vec![
                text("subject").required(),
                choice("status", &["open", "done", "dropped"])
                    .required()
                    .indexed(),
                date("due").indexed(),
                choice("priority", &["low", "normal", "high", "urgent"]),
                reference("about", subjects),
                reference("owner", &["user"]),
                text("queue").indexed(),
                long_text("description"),
            ],
        ),
    ]
}

fn service() -> Vec<Kind> {
    vec![kind(
        "case",
        vec![
            text("subject").required().describing(),
            long_text("description").describing(),
            choice(
                "status",
                &[
                    "new",
                    "open",
                    "waiting_customer",
                    "waiting_internal",
                    "resolved",
                    "closed",
                ],
            )
            .required()
            .indexed(),
            choice(
                "channel",
                &[
                    "email", "phone", "chat", "web", "sms", "social", "device", "visit", "other",
                ],
            ),
            reference("account", &["account"]),
            reference("contact", &["contact"]),
            reference("product", &["product"]),
            text("category").indexed(),
            text("language"),
            choice("sentiment", &["positive", "neutral", "negative"]),
            text("tier"),
            open_choice("priority").indexed(),
            open_choice("queue").indexed(),
            reference("owner", &["user"]),
            text("owner_code"),
            text("thread").indexed(),
            instant("received_at").required().indexed(),
            instant("first_response_at"),
            instant("resolved_at"),
            instant("closed_at"),
            // What the bound service rules keep: targets, the pause clock and the next step.
            text("triage_rule"),
            instant("first_response_due").indexed(),
            instant("resolution_due").indexed(),
            flag("first_response_met"),
            flag("resolution_met"),
            instant("paused_since"),
            integer("paused_minutes"),
            integer("escalation_level"),
            instant("escalate_at").indexed(),
            integer("reopened_times"),
            integer("minutes_spent"),
            integer("satisfaction"),
        ],
    )]
}

fn privacy_and_signals() -> Vec<Kind> {
    vec![
        kind(
            "consent",
            vec![
                reference("contact", &["contact"]).required(),
                text("purpose").required().indexed(),
                text("channel").required(),
                choice("status", &["given", "withdrawn", "refused", "expired"]).required(),
                choice(
                    "basis",
                    &[
                        "consent",
                        "contract",
                        "legitimate_interest",
                        "legal_obligation",
                    ],
                ),
                instant("at").required(),
                text("source"),
                long_text("wording"),
            ],
        ),
        kind(
            "survey_response",
            vec![
                reference("contact", &["contact"]),
                reference("account", &["account"]),
                text("survey").indexed(),
                integer("score"),
                instant("at"),
                long_text("comment").describing(),
            ],
        ),
        kind(
            "signal",
            vec![
                reference("account", &["account"]).required(),
                text("signal_type").required().indexed(),
                integer("strength"),
                instant("at"),
                long_text("note").describing(),
            ],
        ),
    ]
}

fn people() -> Vec<Kind> {
    vec![
        kind(
            "user",
            vec![
                text("name").required().identifying(),
                email("email").unique().identifying(),
                reference("team", &["team"]),
                reference("manager", &["user"]).hierarchy(),
                text("title"),
                flag("active"),
            ],
        ),
        kind(
            "team",
            vec![
                text("name").required().unique().ignoring_case(),
                reference("parent", &["team"]).hierarchy(),
                reference("manager", &["user"]),
            ],
        ),
    ]
}

fn kind(kind_name: &str, mut fields: Vec<Field>) -> Kind {
    fields.push(text("external_id").unique());
    Kind {
        name: name(kind_name),
        label: label(kind_name),
        fields,
    }
}

fn name(text: &str) -> Name {
    #[expect(
        clippy::expect_used,
        reason = "the names in this file are constants, read by a test"
    )]
    Name::new(text).expect("a constant name")
}

/// `closing_date` is shown as `Closing date`.
fn label(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn field(field_name: &str, field_type: FieldType) -> Field {
    Field {
        name: name(field_name),
        label: label(field_name),
        field_type,
        required: false,
        unique: false,
        ignore_case: false,
        hierarchy: false,
        indexed: false,
        personal: PersonalData::None,
    }
}

impl Field {
    fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }
    fn unique(self) -> Self {
        Self {
            unique: true,
            ..self
        }
    }
    fn ignoring_case(self) -> Self {
        Self {
            ignore_case: true,
            ..self
        }
    }
    fn hierarchy(self) -> Self {
        Self {
            hierarchy: true,
            ..self
        }
    }
    fn indexed(self) -> Self {
        Self {
            indexed: true,
            ..self
        }
    }
    fn identifying(self) -> Self {
        Self {
            personal: PersonalData::Identifying,
            ..self
        }
    }
    fn describing(self) -> Self {
        Self {
            personal: PersonalData::Describing,
            ..self
        }
    }
}

fn text(name: &str) -> Field {
    field(name, FieldType::Text { max_bytes: 1_024 })
}
fn long_text(name: &str) -> Field {
    field(
        name,
        FieldType::Text {
            max_bytes: 64 * 1_024,
        },
    )
}
fn integer(name: &str) -> Field {
    field(name, FieldType::Integer)
}
fn decimal(name: &str) -> Field {
    field(name, FieldType::Decimal)
}
fn money(name: &str) -> Field {
    field(name, FieldType::Money)
}
fn date(name: &str) -> Field {
    field(name, FieldType::Date)
}
fn instant(name: &str) -> Field {
    field(name, FieldType::Instant)
}
fn flag(name: &str) -> Field {
    field(name, FieldType::Flag)
}
fn email(name: &str) -> Field {
    field(name, FieldType::Email)
}
fn phone(name: &str) -> Field {
    field(name, FieldType::Phone)
}
fn url(name: &str) -> Field {
    field(name, FieldType::Url)
}
fn address(name: &str) -> Field {
    field(name, FieldType::Address)
}
fn open_choice(name: &str) -> Field {
    field(name, FieldType::Choice(Vec::new()))
}
fn choice(field_name: &str, values: &[&str]) -> Field {
    let choice = |value: &&str| Choice {
        value: (*value).to_owned(),
        label: label(value),
    };
    field(
        field_name,
        FieldType::Choice(values.iter().map(choice).collect()),
    )
}
fn reference(field_name: &str, kinds: &[&str]) -> Field {
    field(
        field_name,
        FieldType::Reference(kinds.iter().map(|kind| name(kind)).collect()),
    )
}
