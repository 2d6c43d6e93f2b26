//! Group commit: those who wait to store share one durable flush.
//!
//! Whoever comes while nobody leads becomes the leader. It opens the store's one write transaction,
//! takes up everybody who is waiting (also those who come while it works), makes the transaction
//! durable, and gives each its answer; then the first of those left leads. Nobody waits for a plugin
//! here, and nobody is forgotten: what happens to the leader, even a panic, answers all it took up.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use kjerne_store::{Store, StoreError, journal};

use crate::limits;
use crate::prepared::{Answer, Prepared};

/// Those who wait to store.
#[derive(Default)]
pub(crate) struct Group(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether somebody leads, or has been told to.
    led: bool,
}

struct Waiting {
    prepared: Prepared,
    ticket: Arc<Ticket>,
}

/// Where one who waits is told what to do.
#[derive(Default)]
struct Ticket {
    told: Mutex<Option<Told>>,
    wake: Condvar,
}

enum Told {
    Lead,
    Answer(Result<Answer, StoreError>),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ticket {
    fn tell(&self, what: Told) {
        *locked(&self.told) = Some(what);
        self.wake.notify_one();
    }

    fn wait(&self) -> Told {
        let mut told = locked(&self.told);
        loop {
            match told.take() {
                Some(what) => return what,
                None => told = self.wake.wait(told).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Group {
    /// Stores what was prepared, together with what others have, and returns when it is durable.
    pub(crate) fn submit(
        &self,
        store: &dyn Store,
        prepared: Prepared,
    ) -> Result<Answer, StoreError> {
        let ticket = Arc::new(Ticket::default());
        if self.join(prepared, &ticket) {
            self.lead(store);
        }
        loop {
            match ticket.wait() {
                Told::Answer(answer) => return answer,
                Told::Lead => self.lead(store),
            }
        }
    }

    /// Queues up; true for the one who has to lead.
    fn join(&self, prepared: Prepared, ticket: &Arc<Ticket>) -> bool {
        let mut queue = locked(&self.0);
        queue.waiting.push_back(Waiting {
            prepared,
            ticket: Arc::clone(ticket),
        });
        !std::mem::replace(&mut queue.led, true)
    }

    fn next(&self) -> Option<Waiting> {
        locked(&self.0).waiting.pop_front()
    }

    /// Stores for everybody who waits. The leader's own commit is the first in the queue.
    fn lead(&self, store: &dyn Store) {
        let mut round = Round {
            group: self,
            taken: Vec::new(),
            result: None,
        };
        let taken = &mut round.taken;
        let result = store.write(&mut |write| {
            let mut last = journal::last(write)?;
            while taken.len() < limits::GROUP_COMMITS.count() {
                let Some(Waiting { prepared, ticket }) = self.next() else {
                    break;
                };
                taken.push((ticket, Answer::Changed));
                let answer = prepared.store(write, &mut last)?;
                if let Some(place) = taken.last_mut() {
                    place.1 = answer;
                }
            }
            Ok(())
        });
        round.result = Some(result);
    }
}

/// One turn of a leader. Its end, however it comes about, answers everybody taken up and passes
/// the lead on.
struct Round<'a> {
    group: &'a Group,
    taken: Vec<(Arc<Ticket>, Answer)>,
    result: Option<Result<(), StoreError>>,
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| {
            let what = "the thread that stored this commit ended; look whether it was stored";
            Err(StoreError::Unknown(what.to_owned()))
        });
        let nobody = self.taken.is_empty();
        for (ticket, answer) in self.taken.drain(..) {
            ticket.tell(Told::Answer(result.clone().map(|()| answer)));
        }
        let mut queue = locked(&self.group.0);
        // A store that fails before anybody was taken up fails the leader, who stands in front.
        if nobody && let Some(leader) = queue.waiting.pop_front() {
            leader
                .ticket
                .tell(Told::Answer(result.map(|()| Answer::Changed)));
        }
        match queue.waiting.front() {
            Some(next) => next.ticket.tell(Told::Lead),
            None => queue.led = false,
        }
    }
}
