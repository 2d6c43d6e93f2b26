//! Group commit: those who wait to store share one durable flush.
//!
//! Whoever comes while nobody leads becomes the leader. It opens the store's one write transaction,
//! takes up those who are waiting (also those who come while it works), makes the transaction
//! durable, and gives each its answer; then the first of those left leads. Nobody waits for a plugin
//! here, and nobody is forgotten: what happens to the leader, even a panic, answers all it took up.
//!
//! A group that takes up everybody there is makes everybody wait for the flush, and nobody is left to
//! decide meanwhile. So a leader ends its group at half of the commits under way, unless a flush takes
//! so long that the others would wait for it all the same.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use kjerne_store::{Store, StoreError, Write, journal};

use crate::limits;
use crate::prepared::{Answer, Prepared};

/// Those who wait to store.
#[derive(Default)]
pub(crate) struct Group {
    queue: Mutex<Queue>,
    /// Commits being decided or stored.
    under_way: AtomicUsize,
    /// How long the last flush took, in microseconds.
    flush: AtomicU64,
}

/// A commit under way, until it is dropped.
pub(crate) struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether somebody leads, or has been told to.
    led: bool,
}

struct Waiting {
    prepared: Box<Prepared>,
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
    Answer(Result<Answer, StoreError>, Box<Prepared>),
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
    /// Counts a commit that is going to be decided and perhaps stored.
    pub(crate) fn enter(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.under_way)
    }

    /// Stores what was prepared, together with what others have, and returns when it is durable.
    pub(crate) fn submit(
        &self,
        store: &dyn Store,
        prepared: Prepared,
    ) -> Result<Answer, StoreError> {
        let ticket = Arc::new(Ticket::default());
        if self.join(Box::new(prepared), &ticket) {
            self.lead(store);
        }
        loop {
            match ticket.wait() {
                // What was prepared comes back to whoever made it: its memory is this thread's.
                Told::Answer(answer, _prepared) => return answer,
                Told::Lead => self.lead(store),
            }
        }
    }

    /// Queues up; true for the one who has to lead.
    fn join(&self, prepared: Box<Prepared>, ticket: &Arc<Ticket>) -> bool {
        let mut queue = locked(&self.queue);
        queue.waiting.push_back(Waiting {
            prepared,
            ticket: Arc::clone(ticket),
        });
        !std::mem::replace(&mut queue.led, true)
    }

    fn next(&self) -> Option<Waiting> {
        locked(&self.queue).waiting.pop_front()
    }

    /// Stores for those who wait. The leader's own commit is the first in the queue.
    fn lead(&self, store: &dyn Store) {
        let mut round = Round {
            group: self,
            taken: Vec::new(),
            result: None,
        };
        let mut worked = None;
        let taken = &mut round.taken;
        let result = store.write(&mut |write| {
            self.take_up(write, taken)?;
            worked = Some(Instant::now());
            Ok(())
        });
        if let Some(worked) = worked {
            self.flush.store(micros_since(worked), Ordering::Relaxed);
        }
        round.result = Some(result);
    }

    /// Writes down one after the other, until nobody waits or the group is large enough.
    fn take_up(&self, write: &mut dyn Write, taken: &mut Vec<Taken>) -> Result<(), StoreError> {
        let began = Instant::now();
        let first = journal::last(write)?;
        let mut last = first;
        while taken.len() < limits::GROUP_COMMITS.count() && !self.is_enough(taken.len(), began) {
            let Some(waiting) = self.next() else { break };
            taken.push(Taken {
                waiting,
                answer: Answer::Changed,
            });
            if let Some(one) = taken.last_mut() {
                one.answer = one.waiting.prepared.store(write, &mut last)?;
            }
        }
        if last > first {
            journal::set_last(write, last)?;
        }
        Ok(())
    }

    /// Whether those who are left had better be decided while this group is flushed.
    fn is_enough(&self, taken: usize, began: Instant) -> bool {
        let half = self.under_way.load(Ordering::Relaxed) / 2;
        taken > half && micros_since(began) * 2 >= self.flush.load(Ordering::Relaxed)
    }
}

fn micros_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// One that a leader has taken up, and what came of it so far.
struct Taken {
    waiting: Waiting,
    answer: Answer,
}

/// One turn of a leader. Its end, however it comes about, answers everybody taken up and passes
/// the lead on.
struct Round<'a> {
    group: &'a Group,
    taken: Vec<Taken>,
    result: Option<Result<(), StoreError>>,
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| {
            let what = "the thread that stored this commit ended; look whether it was stored";
            Err(StoreError::Unknown(what.to_owned()))
        });
        // A store that fails before anybody was taken up fails the leader, who stands in front.
        if self.taken.is_empty()
            && let Some(waiting) = self.group.next()
        {
            self.taken.push(Taken {
                waiting,
                answer: Answer::Changed,
            });
        }
        // The next leader begins while those who have their answer are woken.
        self.group.pass_on();
        for Taken { waiting, answer } in self.taken.drain(..) {
            let answer = result.clone().map(|()| answer);
            waiting.ticket.tell(Told::Answer(answer, waiting.prepared));
        }
    }
}

impl Group {
    /// Has the first who waits lead.
    fn pass_on(&self) {
        let mut queue = locked(&self.queue);
        match queue.waiting.front() {
            Some(next) => next.ticket.tell(Told::Lead),
            None => queue.led = false,
        }
    }
}
