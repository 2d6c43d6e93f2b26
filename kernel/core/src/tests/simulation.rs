//! Seeded random commits against the simplest thing that could be right, with the workspace opened
//! again now and then. A failure names its seed.

use std::collections::BTreeMap;

use kjerne_model::{Code, RecordId};

use super::*;
use crate::Query;

const IDS: u64 = 12;

/// A small generator (xorshift) whose numbers a seed repeats.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn id(&mut self) -> u8 {
        u8::try_from(self.below(IDS)).unwrap()
    }
}

/// What the workspace should hold: users by id, each with a version, a unique e-mail and a manager.
#[derive(Clone, Default, PartialEq, Debug)]
struct Oracle(BTreeMap<u8, User>);

#[derive(Clone, Default, PartialEq, Debug)]
struct User {
    version: u64,
    email: Option<u8>,
    manager: Option<u8>,
}

#[derive(Clone, Debug)]
enum Wish {
    Create(u8, User),
    Email(u8, Option<u8>),
    Manager(u8, Option<u8>),
    Delete(u8),
}

fn wish(dice: &mut Dice) -> Wish {
    let some = |dice: &mut Dice| (dice.below(3) > 0).then(|| dice.id());
    let id = dice.id();
    match dice.below(6) {
        0 | 1 => Wish::Create(
            id,
            User {
                version: 0,
                email: some(dice),
                manager: some(dice),
            },
        ),
        2 | 3 => Wish::Email(id, some(dice)),
        4 => Wish::Manager(id, some(dice)),
        _ => Wish::Delete(id),
    }
}

fn email(number: u8) -> String {
    format!("u{number}@example.test")
}

fn manager(number: u8) -> String {
    format!("user/{number}")
}

fn change(wish: &Wish) -> Change {
    match wish {
        Wish::Create(id, user) => {
            let (email, manager) = (user.email.map(email), user.manager.map(manager));
            let mut pairs = vec![("name", "X")];
            pairs.extend(email.as_deref().map(|email| ("email", email)));
            pairs.extend(manager.as_deref().map(|manager| ("manager", manager)));
            create("user", *id, &pairs)
        }
        Wish::Email(id, to) => update(
            "user",
            *id,
            &[("email", &to.map(email).unwrap_or_default())],
        ),
        Wish::Manager(id, to) => update(
            "user",
            *id,
            &[("manager", &to.map(manager).unwrap_or_default())],
        ),
        Wish::Delete(id) => delete("user", *id),
    }
}

impl Oracle {
    /// The state after the wishes, or none when the kernel has to refuse them.
    fn after(&self, wishes: &[Wish]) -> Option<Self> {
        let mut next = self.clone();
        for wish in wishes {
            match wish {
                Wish::Create(id, user) if !next.0.contains_key(id) => {
                    next.0.insert(*id, user.clone());
                }
                Wish::Email(id, to) => next.0.get_mut(id)?.email = *to,
                Wish::Manager(id, to) => next.0.get_mut(id)?.manager = *to,
                Wish::Delete(id) => {
                    next.0.remove(id)?;
                }
                Wish::Create(..) => return None,
            }
        }
        let mut emails: Vec<_> = next.0.values().filter_map(|user| user.email).collect();
        let count = emails.len();
        emails.sort_unstable();
        emails.dedup();
        let led = next.0.values().filter_map(|user| user.manager);
        let sound = emails.len() == count && led.clone().all(|to| next.0.contains_key(&to));
        let circle = next.0.keys().any(|id| next.is_above_itself(*id));
        (sound && !circle).then(|| next.versioned(self))
    }

    /// Whether following the managers of a user leads back to it.
    fn is_above_itself(&self, id: u8) -> bool {
        let manager = |of: &u8| self.0.get(of).and_then(|user| user.manager);
        let above = std::iter::successors(manager(&id), manager);
        above.take(self.0.len()).any(|one| one == id)
    }

    fn versioned(mut self, before: &Self) -> Self {
        for (id, user) in &mut self.0 {
            user.version = match before.0.get(id) {
                None => 1,
                Some(old) => {
                    let same = (old.email, old.manager) == (user.email, user.manager);
                    old.version + u64::from(!same)
                }
            };
        }
        self
    }
}

/// What the workspace does hold.
fn stored(kernel: &Kernel) -> Oracle {
    let number = |id: RecordId| id.as_bytes()[15];
    let query = Query {
        top: 1_000,
        ..Query::all(name("user"))
    };
    let users = kernel
        .query(&query)
        .unwrap()
        .records
        .into_iter()
        .map(|record| {
            let email = record.text("email").map(|text| {
                text.trim_start_matches('u')
                    .split('@')
                    .next()
                    .unwrap()
                    .parse()
                    .unwrap()
            });
            let manager = record
                .get("manager")
                .and_then(Value::as_reference)
                .map(|to| number(to.id));
            (
                number(record.id),
                User {
                    version: record.version,
                    email,
                    manager,
                },
            )
        });
    Oracle(users.collect())
}

/// Runs one seed; `open` opens the workspace as it is.
fn simulate(seed: u64, rounds: usize, open: &dyn Fn() -> Arc<Kernel>) {
    let mut dice = Dice(seed * 2_654_435_761 + 1);
    let mut oracle = Oracle::default();
    let mut kernel = open();
    let mut entries = 0;
    for round in 0..rounds {
        if dice.below(40) == 0 {
            drop(kernel);
            kernel = open();
        }
        let wishes: Vec<Wish> = (0..=dice.below(4)).map(|_| wish(&mut dice)).collect();
        let expected = oracle.after(&wishes);
        let outcome = kernel
            .commit(commit(wishes.iter().map(change).collect()))
            .unwrap();
        let context = format!("seed {seed}, round {round}: {wishes:?} on {oracle:?}: {outcome:?}");
        match (expected, outcome) {
            (Some(next), Outcome::Accepted(receipt)) => {
                entries += u64::from(receipt.entry > 0);
                // A record removed and made again in one commit goes on counting its versions.
                oracle = next;
            }
            (None, Outcome::Refused(why)) => {
                assert!(
                    why.iter().all(|one| one.code != Code::Contention),
                    "{context}"
                );
            }
            _ => panic!("{context}"),
        }
        assert_eq!(stored(&kernel), oracle, "{context}");
    }
    assert_eq!(kernel.journal(0, 1_000).unwrap().len() as u64, entries);
    assert_clean(&kernel);
}

/// How often more than the sample a suite is to run: `cargo soak` says so.
pub(super) fn times() -> u64 {
    let told = std::env::var("KJERNE_SOAK").ok();
    told.and_then(|times| times.parse().ok()).unwrap_or(1)
}

#[test]
fn random_commits_leave_what_the_oracle_says_in_memory() {
    println!("seeds 0 to {}", 30 * times() - 1);
    for seed in 0..30 * times() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        simulate(seed, 300, &|| {
            kernel_on(Arc::clone(&store), TablePlugins::none())
        });
    }
}

#[test]
fn random_commits_leave_what_the_oracle_says_in_a_file_opened_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 1_000_000..1_000_000 + 3 * times() {
        let path = folder.path().join(seed.to_string());
        drop(RedbStore::create(&path).unwrap());
        let open = || {
            let store = RedbStore::open(&path).unwrap();
            kernel_on(Arc::new(store), TablePlugins::none())
        };
        simulate(seed, 120, &open);
    }
}
