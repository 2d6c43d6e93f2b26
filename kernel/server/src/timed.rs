//! A connection whose other end has to read what it asked for, and is given the time to.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::limits::{ANSWER_IDLE, ANSWER_STEP, PARTING_BYTES, PARTING_TIME};

/// Reads and writes as the connection does, and fails when writing does not move on.
pub(crate) struct Timed<IO> {
    io: IO,
    idle: Duration,
    step: u64,
    /// Runs while the other end is behind, for each step of the answer anew.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Bytes written since it runs.
    moved: u64,
    /// Nothing more is said, and what still comes is read and forgotten.
    parting: Option<Parting>,
    patience: Duration,
    most: usize,
}

/// How much longer the other end may go on sending.
struct Parting {
    until: Pin<Box<Sleep>>,
    bytes: usize,
}

impl<IO> Timed<IO> {
    pub(crate) fn new(io: IO) -> Self {
        Self {
            io,
            idle: Duration::from_millis(ANSWER_IDLE.value),
            step: ANSWER_STEP.value,
            stalled: None,
            moved: 0,
            parting: None,
            patience: Duration::from_millis(PARTING_TIME.value),
            most: PARTING_BYTES.count(),
        }
    }

    fn wrote(&mut self, bytes: usize) {
        self.moved += bytes as u64;
        if self.moved >= self.step {
            self.stalled = None;
        }
    }

    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.stalled.is_none() {
            self.moved = 0;
        }
        let patience = self.idle;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(io::Error::from(io::ErrorKind::TimedOut))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Timed<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Timed<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.io).poll_write(context, bytes) {
            Poll::Pending => self.poll_patience(context).map(Err),
            Poll::Ready(written) => {
                self.wrote(*written.as_ref().unwrap_or(&0));
                Poll::Ready(written)
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.io).poll_write_vectored(context, pieces) {
            Poll::Pending => self.poll_patience(context).map(Err),
            Poll::Ready(written) => {
                self.wrote(*written.as_ref().unwrap_or(&0));
                Poll::Ready(written)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.io).poll_flush(context) {
            Poll::Pending => self.poll_patience(context).map(Err),
            // Nothing is held back any more: the other end is not behind.
            Poll::Ready(flushed) => {
                self.stalled = None;
                Poll::Ready(flushed)
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.parting.is_none() {
            match Pin::new(&mut self.io).poll_shutdown(context) {
                Poll::Pending => return self.poll_patience(context).map(Err),
                Poll::Ready(done) => done?,
            }
            self.parting = Some(Parting {
                until: Box::pin(sleep(self.patience)),
                bytes: 0,
            });
        }
        self.poll_parted(context).map(Ok)
    }
}

impl<IO: AsyncRead + Unpin> Timed<IO> {
    /// Waits until the other end has nothing more to say, or for a while. To close before would have the
    /// system tell an end that is still sending that the connection broke, and never the answer.
    fn poll_parted(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(parting) = &mut self.parting else {
            return Poll::Ready(());
        };
        let mut piece = [0; 8_192];
        while parting.bytes < self.most {
            let mut piece = ReadBuf::new(&mut piece);
            match Pin::new(&mut self.io).poll_read(context, &mut piece) {
                Poll::Pending => return parting.until.as_mut().poll(context),
                Poll::Ready(Ok(())) if !piece.filled().is_empty() => {
                    parting.bytes += piece.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::future::poll_fn;
    use tokio::io::AsyncWriteExt as _;

    /// Takes so many bytes every so often.
    struct Slow {
        bytes: usize,
        pause: Duration,
        busy: Option<Pin<Box<Sleep>>>,
    }

    impl AsyncWrite for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if let Some(busy) = &mut self.busy {
                ready!(busy.as_mut().poll(context));
            }
            self.busy = Some(Box::pin(sleep(self.pause)));
            Poll::Ready(Ok(self.bytes.min(bytes.len())))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncRead for Slow {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Says goodbye to somebody who sends so many bytes and then closes or keeps still; answers with how
    /// many of them were taken.
    async fn parted(bytes: usize, closes: bool) -> usize {
        let (here, mut there) = tokio::io::duplex(1_024);
        let (patience, most) = (Duration::from_millis(200), 16 * 1_024);
        let mut timed = Timed {
            patience,
            most,
            ..Timed::new(here)
        };
        let sending = tokio::spawn(async move {
            let sent = there.write_all(&vec![b'x'; bytes]).await;
            if !closes {
                sleep(Duration::from_secs(60)).await;
            }
            sent
        });
        let done = poll_fn(|context| Pin::new(&mut timed).poll_shutdown(context)).await;
        assert!(done.is_ok());
        sending.abort();
        timed.parting.map_or(0, |parting| parting.bytes)
    }

    #[tokio::test]
    async fn who_still_sends_when_all_is_said_is_heard_out_up_to_a_limit() {
        let begun = std::time::Instant::now();
        assert_eq!(parted(0, true).await, 0);
        assert_eq!(parted(15_000, true).await, 15_000);
        assert_eq!(parted(15_000, false).await, 15_000);
        assert!(begun.elapsed() >= Duration::from_millis(200));
        let taken = parted(100_000, true).await;
        assert!((16_384..30_000).contains(&taken), "{taken}");
    }

    /// Writes 16 steps to somebody who takes so many bytes every so many milliseconds.
    async fn written(bytes: usize, pause: u64) -> io::Result<()> {
        let slow = Slow {
            bytes,
            pause: Duration::from_millis(pause),
            busy: None,
        };
        let (idle, step) = (Duration::from_millis(200), 1_024);
        let mut timed = Timed {
            idle,
            step,
            ..Timed::new(slow)
        };
        let mut left = 16 * 1_024;
        while left > 0 {
            let answer = vec![b'x'; left];
            left -= poll_fn(|c| Pin::new(&mut timed).poll_write(c, &answer)).await?;
        }
        poll_fn(|context| Pin::new(&mut timed).poll_flush(context)).await
    }

    #[tokio::test]
    async fn who_does_not_read_an_answer_or_byte_by_byte_is_not_waited_for() {
        for (bytes, pause) in [(1, 60_000), (1, 10), (64, 50)] {
            let error = written(bytes, pause).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{bytes} in {pause}");
        }
    }

    #[tokio::test]
    async fn who_reads_slowly_and_steadily_is_waited_for() {
        // Longer than the time of a step in all, and shorter for each.
        assert!(written(1_024, 40).await.is_ok());
    }
}
