//! The model on groups written as short lines: fast, and without the host. `cases/` has the same
//! rules in the real one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::assess::assess;
use crate::assessment::Assessment;
use crate::jobs::Standing;
use crate::rows::{Entry, Surroundings, To, judge, judge_role, shape};
use crate::settings::{Proof, Rules, Settings};
use crate::situation::{Person, Row, Situation, State};

const DAY: i64 = 86_400_000;

fn settings() -> Settings {
    Settings::read("").expect("the default settings are good")
}

/// A group: `name role influence attitude` for each person, `job name state marks` for each row
/// (marks: `v`alidated, `e`vidence, `n`ote, `y`es, `n`o as `!`, digits: times reopened).
fn group(stage: &str, people: &str, rows: &str) -> Situation {
    let word = |words: &[&str], place: usize| {
        words
            .get(place)
            .filter(|word| **word != "-")
            .map(|word| (*word).to_owned())
    };
    let person = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        Person {
            id: words[0].to_owned(),
            role: words[1].to_owned(),
            influence: word(&words, 2),
            attitude: word(&words, 3),
        }
    };
    let row = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let marks = words.get(3).copied().unwrap_or_default();
        Row {
            job: words[0].to_owned(),
            person: word(&words, 1),
            state: State::named(words[2]),
            validated: marks.contains('v'),
            agrees: if marks.contains('y') {
                Some(true)
            } else {
                marks.contains('!').then_some(false)
            },
            evidence: marks.contains('e').then(|| "activity".to_owned()),
            noted: marks.contains('n'),
            reopened: marks
                .chars()
                .find_map(|mark| mark.to_digit(10))
                .map_or(0, i64::from),
        }
    };
    let lines = |text: &str| {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    Situation {
        now: 100 * DAY,
        stage: Some(stage.to_owned()),
        employees: Some(20),
        heard: Some(100 * DAY),
        people: lines(people).iter().map(|line| person(line)).collect(),
        rows: lines(rows).iter().map(|line| row(line)).collect(),
        ..Situation::default()
    }
}

fn job<'a>(assessment: &'a Assessment, name: &str) -> &'a Standing {
    assessment.jobs.iter().find(|job| job.job == name).unwrap()
}

/// State, progress, validation and consensus of a job in a group.
fn check_job(people: &str, rows: &str, name: &str, expected: (State, i64, i64, i64)) {
    let assessment = assess(&settings(), &group("discover", people, rows));
    let job = job(&assessment, name);
    let found = (job.state, job.progress, job.validation, job.consensus);
    assert_eq!(found, expected, "{name} with {people:?} and {rows:?}");
}

const PAIR: &str = "c champion high champion\nu user low neutral";

#[test]
fn a_job_is_the_sum_of_those_concerned() {
    use State::{Done, NotStarted, Reopened, Working};
    let check = |rows, expected| check_job(PAIR, rows, "problem_identification", expected);
    // Weights 3 and 1; the champion's attitude counts 60 % as agreement.
    check("", (NotStarted, 0, 0, 45));
    check("problem_identification c working", (Working, 38, 0, 45));
    check("problem_identification c done vey", (Working, 75, 100, 75));
    check(
        "problem_identification c done vey\nproblem_identification u working n!",
        (Done, 88, 83, 75),
    );
    check(
        "problem_identification c done ey\nproblem_identification u done ey",
        (Done, 100, 60, 100),
    );
    check(
        "problem_identification c reopened 1\nproblem_identification u done ey",
        (Reopened, 44, 15, 70),
    );
    check(
        "problem_identification c not_started",
        (NotStarted, 0, 0, 45),
    );
}

#[test]
fn an_empty_chair_and_a_group_as_one_have_a_voice() {
    let check =
        |people, rows, expected| check_job(people, rows, "problem_identification", expected);
    check(
        "c champion high -",
        "problem_identification c done vy",
        (State::Working, 60, 30, 60),
    );
    check(
        "",
        "problem_identification - done ny",
        (State::Working, 33, 30, 33),
    );
    check(
        PAIR,
        "problem_identification - done ny",
        (State::Working, 33, 30, 63),
    );
}

#[test]
fn validation_and_consensus_happen_within_the_others() {
    let all = "problem_identification c done vey\nsolution_exploration c done ey";
    let people = "c champion high champion";
    let assessment = assess(&settings(), &group("discover", people, all));
    let (validation, consensus) = (
        job(&assessment, "validation"),
        job(&assessment, "consensus_creation"),
    );
    assert_eq!(
        (validation.state, validation.progress),
        (State::Working, 40)
    );
    assert_eq!((consensus.state, consensus.progress), (State::Working, 32));
    check_job(people, all, "validation", (State::Working, 40, 40, 32));
    let own = format!("{all}\nvalidation c done vey");
    check_job(people, &own, "validation", (State::Working, 70, 40, 32));
    check_job(people, "", "validation", (State::NotStarted, 0, 0, 22));
}

#[test]
fn who_is_missing_is_told_with_the_reason() {
    let people = "c champion high champion\nt technical low opposed";
    let rows = "solution_exploration c done ey\nsolution_exploration t working";
    let assessment = assess(&settings(), &group("discover", people, rows));
    let missing: Vec<_> = job(&assessment, "solution_exploration")
        .missing
        .iter()
        .map(|one| (one.role.as_str(), one.reason))
        .collect();
    assert_eq!(
        missing,
        [
            ("technical", "is opposed"),
            ("user", "nobody in the group has this role")
        ]
    );
    let missing: Vec<_> = job(&assessment, "supplier_selection")
        .missing
        .iter()
        .map(|one| (one.role.as_str(), one.reason))
        .collect();
    assert_eq!(
        missing,
        [
            ("champion", "has no part in it yet"),
            ("economic_buyer", "nobody in the group has this role"),
            ("legal", "nobody in the group has this role"),
        ]
    );
}

const WHOLE: &str = "e economic_buyer decisive supportive\nc champion high champion\nu user low supportive\nt technical medium supportive\nl legal low neutral";

fn finished() -> String {
    let jobs = [
        "problem_identification",
        "solution_exploration",
        "requirements_building",
        "supplier_selection",
    ];
    let row = |job: &&str| {
        ["e", "c", "u", "t", "l"]
            .map(|person| format!("{job} {person} done vey"))
            .join("\n")
    };
    jobs.iter().map(row).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_finished_group_has_little_risk_and_a_late_reopening_much() {
    let calm = assess(&settings(), &group("negotiate", WHOLE, &finished()));
    assert_eq!((calm.progress, calm.ours, calm.gap), (100, 80, -20));
    assert_eq!((calm.rework, calm.no_decision, calm.late), (10, 0, false));
    assert!(calm.actions.is_empty(), "{:?}", calm.actions);

    let again = finished().replace(
        "supplier_selection l done vey",
        "supplier_selection l reopened 1",
    );
    let stormy = assess(&settings(), &group("negotiate", WHOLE, &again));
    assert_eq!(job(&stormy, "supplier_selection").state, State::Reopened);
    assert!(stormy.late);
    // base 10, unvalidated and disagreement 0 (a small voice), reopened now 12, late 20.
    assert_eq!(stormy.rework, 42);
    assert_eq!(
        stormy.actions[0].action,
        "Find out why the legal adviser reopened supplier selection"
    );
    assert!(stormy.actions[0].reason.contains("late"));

    let early = assess(&settings(), &group("qualify", WHOLE, &again));
    assert_eq!((early.late, early.rework), (false, 22));
}

#[test]
fn each_sign_of_no_decision_has_its_points() {
    let base = |change: &dyn Fn(&mut Situation)| {
        let mut situation = group("negotiate", WHOLE, &finished());
        change(&mut situation);
        assess(&settings(), &situation).no_decision
    };
    assert_eq!(base(&|_| ()), 0);
    assert_eq!(base(&|it| it.heard = Some(86 * DAY)), 0);
    assert_eq!(base(&|it| it.heard = Some(63 * DAY)), 15);
    assert_eq!(base(&|it| it.heard = Some(DAY)), 30);
    assert_eq!(base(&|it| (it.heard, it.begun) = (None, Some(DAY))), 30);
    assert_eq!(base(&|it| it.employees = Some(200)), 5);
    assert_eq!(base(&|it| it.employees = Some(501)), 10);
    assert_eq!(
        base(&|it| it.people[0].attitude = Some("opposed".to_owned())),
        20
    );
    assert_eq!(
        base(&|it| it.people[2].attitude = Some("opposed".to_owned())),
        4
    );
    let nobody = Situation {
        now: DAY,
        employees: Some(600),
        stage: Some("propose".to_owned()),
        ..Situation::default()
    };
    // Nobody agrees 25, nobody is known 20, no champion 10, no economic buyer 10, ahead by 60: 6.
    assert_eq!(assess(&settings(), &nobody).no_decision, 71);
}

#[test]
fn advice_comes_best_first_with_its_reason() {
    let people = "e economic_buyer decisive opposed\nc champion high champion";
    let mut situation = group(
        "propose",
        people,
        "problem_identification c done ey\nsupplier_selection e working",
    );
    situation.heard = Some(60 * DAY);
    let assessment = assess(&settings(), &situation);
    let found: Vec<_> = assessment
        .actions
        .iter()
        .map(|action| (action.weight, action.action.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (85, "Meet the economic buyer and hear the objections"),
            (60, "Agree on a next step with the customer"),
            (50, "Find the user"),
            (50, "Find the legal adviser"),
            (49, "Bring the champion into supplier selection"),
            (45, "Ask who else takes part in the decision"),
            (44, "Have the champion confirm problem identification"),
            (39, "Begin solution exploration with the champion"),
        ]
    );
    let weights = assessment.actions.iter().map(|action| action.weight);
    assert!(weights.is_sorted_by(|a, b| a >= b));
}

#[test]
fn our_progress_is_the_stages_place_else_the_probability() {
    let check = |pipeline: &str, stage: &str, probability, expected| {
        let text = format!("{}\n", include_str!("../settings.toml"))
            .replace("offered = 75", "offered = 75\n\"new/offered\" = 33");
        let situation = Situation {
            pipeline: Some(pipeline.to_owned()),
            stage: Some(stage.to_owned()),
            probability,
            ..Situation::default()
        };
        assert_eq!(
            assess(&Settings::read(&text).unwrap(), &situation).ours,
            expected,
            "{pipeline}/{stage}"
        );
    };
    check("standard", "propose", Some(1), 60);
    check("renewal", "offered", None, 75);
    check("new", "offered", None, 33);
    check("own", "pilot", Some(35), 35);
    check("own", "pilot", None, 0);
}

fn entry(text: &str) -> Entry {
    let words: Vec<_> = text.split_whitespace().collect();
    let flag = |word: &str| words.contains(&word).then_some(true);
    let number = |name: &str| {
        words
            .iter()
            .find_map(|word| word.strip_prefix(name)?.parse().ok())
    };
    Entry {
        id: "row".to_owned(),
        opportunity: "here".to_owned(),
        job: words
            .iter()
            .find_map(|word| word.strip_prefix("job="))
            .unwrap_or("validation")
            .to_owned(),
        stakeholder: words
            .iter()
            .find_map(|word| word.strip_prefix("by="))
            .map(str::to_owned),
        state: State::named(words[0]),
        validated: flag("validated"),
        agrees: flag("agrees"),
        evidence: words.contains(&"evidence"),
        note: words.contains(&"note"),
        since: number("since="),
        reopened: number("times="),
    }
}

#[test]
fn reopening_is_counted_and_takes_back_what_was_agreed() {
    let check = |before: &str, after: &str, expected: &[(&str, To)]| {
        let before = (!before.is_empty()).then(|| entry(before));
        assert_eq!(
            shape(before.as_ref(), &entry(after), false, 9),
            expected,
            "{before:?} -> {after}"
        );
    };
    let (now, none) = (To::Instant(9), To::Empty);
    let reopened = To::State(State::Reopened);
    check(
        "",
        "working",
        &[("state_since", now), ("reopened_times", To::Integer(0))],
    );
    check(
        "",
        "reopened",
        &[("state_since", now), ("reopened_times", To::Integer(1))],
    );
    check(
        "working since=1 times=0",
        "done since=1 times=0",
        &[("state_since", now)],
    );
    check(
        "done since=1 times=0",
        "working since=1 times=0",
        &[
            ("state", reopened),
            ("state_since", now),
            ("reopened_times", To::Integer(1)),
        ],
    );
    check(
        "done since=1 times=1",
        "not_started since=1 times=1",
        &[
            ("state", reopened),
            ("state_since", now),
            ("reopened_times", To::Integer(2)),
        ],
    );
    check(
        "done since=1 times=0",
        "reopened since=1 times=0",
        &[("state_since", now), ("reopened_times", To::Integer(1))],
    );
    check(
        "done since=1 times=0 agrees validated",
        "working since=1 times=0 agrees validated",
        &[
            ("state", reopened),
            ("state_since", now),
            ("reopened_times", To::Integer(1)),
            ("validated", none),
            ("agrees", none),
        ],
    );
    check(
        "reopened since=1 times=1",
        "working since=1 times=1",
        &[("state_since", now)],
    );
    check("done since=1 times=1", "done since=1 times=1 agrees", &[]);
    check(
        "done since=1 times=1",
        "done since=5 times=0",
        &[
            ("state_since", To::Instant(1)),
            ("reopened_times", To::Integer(1)),
        ],
    );
}

#[test]
fn history_keeps_the_times_it_brings() {
    assert_eq!(shape(None, &entry("done since=1 times=3"), true, 9), []);
    let brings = |before, after| shape(Some(&entry(before)), &entry(after), true, 9);
    assert_eq!(brings("done since=1 times=3", "done since=2 times=4"), []);
    assert_eq!(
        brings("done since=1 times=3", "working since=2 times=3"),
        []
    );
}

struct Around {
    twin: bool,
}

impl Surroundings for Around {
    fn opportunity_of(&self, stakeholder: &str) -> Option<String> {
        Some(
            if stakeholder == "stranger" {
                "there"
            } else {
                "here"
            }
            .to_owned(),
        )
    }
    fn has_twin(&self, _: &Entry) -> bool {
        self.twin
    }
}

#[test]
fn a_buying_job_obeys_its_rules() {
    let check_with = |rules: &Rules, before: &str, after: &str, twin, expected: &[&str]| {
        let before = (!before.is_empty()).then(|| entry(before));
        let faults = judge(
            rules,
            before.as_ref(),
            &entry(after),
            false,
            &Around { twin },
        );
        let codes: Vec<_> = faults.iter().map(|fault| fault.code).collect();
        assert_eq!(codes, expected, "{before:?} -> {after}");
    };
    let standard = settings().rules;
    let check =
        |before, after, expected: &[&str]| check_with(&standard, before, after, false, expected);
    check("", "working", &[]);
    check("", "working job=lunch", &["unknown-job"]);
    check("working job=lunch", "working job=lunch agrees", &[]);
    check("", "done", &["missing-evidence"]);
    check("", "done note", &[]);
    check("working", "done evidence", &[]);
    check("done note", "done", &["missing-evidence"]);
    check("done", "done agrees", &[]);
    check("reopened", "not_started", &["reopened-not-unstarted"]);
    check("reopened", "working", &[]);
    check("", "working by=stranger", &["stakeholder-elsewhere"]);
    check("", "working by=friend", &[]);
    check_with(&standard, "", "working", true, &["duplicate-buying-job"]);
    check_with(&standard, "working", "done note", true, &[]);
    let strict = Rules {
        done_needs: Proof::Activity,
        ..settings().rules
    };
    check_with(&strict, "", "done note", false, &["missing-evidence"]);
    let easy = Rules {
        done_needs: Proof::Nothing,
        ..settings().rules
    };
    check_with(&easy, "", "done", false, &[]);
    let history = judge(
        &standard,
        None,
        &entry("done job=lunch"),
        true,
        &Around { twin: true },
    );
    let codes: Vec<_> = history.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["unknown-job", "duplicate-buying-job"]);
}

#[test]
fn roles_come_from_the_list() {
    assert!(judge_role(&settings().rules, "economic_buyer").is_none());
    let fault = judge_role(&settings().rules, "king").unwrap();
    assert_eq!((fault.code, fault.field), ("unknown-role", "role"));
    let any = Rules {
        roles: Vec::new(),
        ..settings().rules
    };
    assert!(judge_role(&any, "king").is_none());
}

#[test]
fn settings_name_every_fault_with_its_line() {
    let check = |text: &str, expected: &[&str]| {
        let error = Settings::read(text).unwrap_err();
        for part in expected {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
    };
    check("x = 1", &["there is no [[job]]", "there is no setting x"]);
    check(
        "[[job]]\nname = \"a\"\nwithin = [\"b\"]",
        &["job a is within b"],
    );
    check(
        "[[job]]\nname = \"a\"\nmeasures = \"validation\"",
        &["needs within"],
    );
    check(
        "[[job]]\nname = \"a\"\n[[job]]\nname = \"a\"\nroles = [\"x\"]\n[roles]\ny = \"Y\"",
        &["line 3: job a is there twice", "line 3: job a takes role x"],
    );
    check(
        "[[job]]\nname = \"a\"\n[rework]\nbase = -1\nspeed = 2",
        &["line 4: rework.base must be", "line 5: rework.speed is not"],
    );
    let job = "[[job]]\nname = \"a\"\n";
    for (nonsense, told) in [
        (
            "[group]\nsizes = [{ employees_from = 1 }]",
            "line 4: people is missing",
        ),
        (
            "[group]\nsizes = [{ people = 3 }]",
            "line 4: employees_from is missing",
        ),
        (
            "[group]\nsizes = [{ employees_from = -5, people = 3 }]",
            "employees_from must be",
        ),
        (
            "[group]\nsizes = [{ employees_from = 1, people = 0 }]",
            "people must be",
        ),
        (
            "[group]\nsizes = [\n{ employees_from = 1, people = 3 },\n{ employees_from = 1, people = 4 }]",
            "line 6: there are two sizes from 1 employees on",
        ),
        (
            "[progress]\ndone = 101",
            "line 4: progress.done must be a whole number from 0 to 100",
        ),
        ("[our_progress]\nwon = 3650", "from 0 to 100"),
    ] {
        check(&format!("{job}{nonsense}"), &[told]);
    }
    check(
        "done_needs = \"luck\"\n[[job]]\nname = \"a\"",
        &["line 1: done_needs must be one of note, activity, nothing"],
    );
}

#[test]
fn the_defaults_in_the_code_are_those_of_the_settings() {
    let written = settings();
    let built = Settings::read("[[job]]\nname = \"a\"").unwrap();
    let numbers = |settings: &Settings| {
        let tables = (
            &settings.influence,
            &settings.progress,
            &settings.evidence,
            &settings.attitude,
        );
        format!(
            "{tables:?} {:?} {:?} {:?} {:?}",
            settings.rework, settings.no_decision, settings.actions, settings.group
        )
    };
    assert_eq!(numbers(&written), numbers(&built));
}

#[test]
fn b4_names_and_actors_are_such_as_there_can_be() {
    let long = "x".repeat(300);
    for (text, named) in [
        (format!("[[job]]\nname = '{long}'"), "more than 200 bytes"),
        (
            format!("roles = {{ {long} = 'x' }}\n[[job]]\nname = 'a'"),
            "more than 200 bytes",
        ),
        (
            "history_actors = ['import']\n[[job]]\nname = 'a'".to_owned(),
            "'import' is no actor",
        ),
    ] {
        let told = crate::settings::Settings::read(&text).expect_err(&text);
        assert!(told.contains(named), "{text}: {told}");
    }
}
