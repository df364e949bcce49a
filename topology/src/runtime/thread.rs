//! Threads that are waited for, but not for ever.

use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use crate::error::{Error, ErrorKind, Result};

/// A thread at work.
pub(super) struct Thread {
    name: String,
    handle: JoinHandle<()>,
    /// Nothing is ever sent: the other end goes away with the thread.
    ended: Receiver<()>,
}

impl Thread {
    pub(super) fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<Self> {
        let (alive, ended) = bounded(0);
        let run = move || {
            let _alive = alive;
            run();
        };
        let handle = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(|e| {
                let message = format!("cannot start thread {name}");
                Error::new(ErrorKind::Unavailable, message).with_source(e)
            })?;
        Ok(Thread {
            name: name.to_owned(),
            handle,
            ended,
        })
    }

    /// Waits for the end of the thread; one that does not come to it is left alone.
    pub(super) fn join(self, deadline: Instant) -> Result<()> {
        if self.ended.recv_deadline(deadline) == Err(RecvTimeoutError::Timeout) {
            let message = format!("thread {} does not end; it is left to itself", self.name);
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        if self.handle.join().is_err() {
            tracing::error!(thread = %self.name, "the thread panicked");
        }
        Ok(())
    }
}
