//! Whether what is being worked on is still wanted: by who asked for it, by the server, and within its
//! time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kjerne_core::limits::Limit;
use kjerne_store::Halt;

/// Whether the server is asked to stop.
#[derive(Clone, Default)]
pub(crate) struct Stopping(Arc<AtomicBool>);

impl Stopping {
    /// Has everything that is being read for come to an end.
    pub(crate) fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whoever waits for an answer; when this is dropped, nobody does.
pub(crate) struct Asker(Arc<AtomicBool>);

impl Drop for Asker {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What work looks at to know whether to go on.
pub(crate) struct Watch {
    gone: Arc<AtomicBool>,
    stopping: Stopping,
}

/// Somebody who asks, and the watch of what is done for them.
pub(crate) fn pair(stopping: &Stopping) -> (Asker, Watch) {
    let gone = Arc::new(AtomicBool::new(false));
    let stopping = stopping.clone();
    (Asker(Arc::clone(&gone)), Watch { gone, stopping })
}

impl Watch {
    /// What says at every row whether to go on; with a limit, for no longer than that from now on.
    pub(crate) fn begin(
        self,
        most: Option<Limit>,
    ) -> impl Fn() -> Result<(), Halt> + Send + Sync + 'static {
        let time = most.map(|most| (Instant::now() + Duration::from_millis(most.value), most));
        move || {
            if self.gone.load(Ordering::Relaxed) {
                return Err(Halt::Unwanted);
            }
            if self.stopping.is_asked() {
                return Err(Halt::Stopping);
            }
            match &time {
                Some((end, most)) if Instant::now() > *end => Err(Halt::TooMuch(format!(
                    "looking for the answer took longer than {} ms (limit {}); narrow the filter by a \
                     field with an index, or ask a simpler one",
                    most.value, most.name
                ))),
                _ => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::QUERY_TIME;

    #[test]
    fn work_ends_with_who_asked_with_the_server_and_with_its_time() {
        let stopping = Stopping::default();
        let (asker, watch) = pair(&stopping);
        let go_on = watch.begin(Some(QUERY_TIME));
        assert_eq!(go_on(), Ok(()));
        drop(asker);
        assert_eq!(go_on(), Err(Halt::Unwanted));

        let (_asker, watch) = pair(&stopping);
        let go_on = watch.begin(None);
        assert_eq!(go_on(), Ok(()));
        stopping.stop();
        assert_eq!(go_on(), Err(Halt::Stopping));

        let (_asker, watch) = pair(&Stopping::default());
        let most = Limit {
            value: 1,
            ..QUERY_TIME
        };
        let go_on = watch.begin(Some(most));
        std::thread::sleep(Duration::from_millis(5));
        let told = go_on().map_err(|halt| halt.to_string());
        assert!(told.is_err_and(|told| told.contains("1 ms (limit query-time)")));
    }
}
