//! Threads on which requests may block: as many as are needed, each asleep by itself.
//!
//! The pool of the asynchronous runtime has one lock that whoever is woken for work waits for, at the very
//! moment its waker holds it: at thousands of short requests a second that was a tenth of all time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::sync::oneshot;

/// How long a thread without work waits for some.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// The threads.
#[derive(Clone)]
pub(crate) struct Hands {
    jobs: Sender<Job>,
    queue: Receiver<Job>,
    /// Threads that wait and are meant for nobody yet.
    idle: Arc<AtomicUsize>,
}

impl Hands {
    pub(crate) fn new() -> Self {
        let (jobs, queue) = unbounded();
        Self {
            jobs,
            queue,
            idle: Arc::default(),
        }
    }

    /// Does work on a thread where it may block, and answers with what came of it; none when it panicked.
    ///
    /// How many there may be is not counted here: each request has its turn beforehand.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (told, done) = oneshot::channel();
        let job: Job = Box::new(move || {
            // What the work held is gone, and whoever waits is told; nothing else is touched by it.
            if let Ok(done) = catch_unwind(AssertUnwindSafe(work)) {
                // Who asked may have gone.
                let _ = told.send(done);
            }
        });
        if !take_one(&self.idle) {
            let (queue, idle) = (self.queue.clone(), Arc::clone(&self.idle));
            let begun = thread::Builder::new().name("request".to_owned());
            begun.spawn(move || work_on(&queue, &idle)).ok()?;
        }
        self.jobs.send(job).ok()?;
        done.await.ok()
    }
}

/// Counts one down, if there is one.
fn take_one(idle: &AtomicUsize) -> bool {
    idle.fetch_update(Ordering::AcqRel, Ordering::Acquire, |idle| {
        idle.checked_sub(1)
    })
    .is_ok()
}

fn work_on(queue: &Receiver<Job>, idle: &AtomicUsize) {
    loop {
        match queue.recv_timeout(IDLE) {
            Ok(job) => {
                job();
                idle.fetch_add(1, Ordering::AcqRel);
            }
            // Whoever counted this thread down has sent, or is about to.
            Err(_) if take_one(idle) => return,
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[tokio::test]
    async fn each_has_a_thread_and_who_breaks_harms_nobody() {
        let hands = Hands::new();
        // Each waits for all the others: with a thread too few they would wait for ever.
        for _ in 0..3 {
            let all = Arc::new(Barrier::new(20));
            let together = (0..20).map(|number| {
                let (all, hands) = (Arc::clone(&all), hands.clone());
                tokio::spawn(async move {
                    let work = move || {
                        all.wait();
                        number
                    };
                    hands.run(work).await
                })
            });
            for (number, one) in together.collect::<Vec<_>>().into_iter().enumerate() {
                assert!(one.await.is_ok_and(|done| done == Some(number)));
            }
        }
        let broken: Option<()> = hands.run(|| panic!("on purpose")).await;
        assert_eq!(broken, None);
        assert_eq!(hands.run(|| 7).await, Some(7));
        let idle = hands.idle.load(Ordering::Acquire);
        assert!((1..=60).contains(&idle), "{idle} threads wait");
    }
}
