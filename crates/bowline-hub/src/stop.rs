//! How a hub stops.

use tokio::sync::watch;

/// Tells what became of the connections when the hub stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections that ended in order, each WebSocket with 1001.
    pub closed: usize,
    /// Connections that did not end before the deadline and were cut off.
    pub aborted: usize,
}

impl Drained {
    /// Adds what another listener reports.
    pub(crate) const fn add(&mut self, other: Self) {
        self.closed += other.closed;
        self.aborted += other.aborted;
    }
}

/// Tells everybody to stop, once.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

/// Hears when to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Makes the two ends.
pub(crate) fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until it is time to stop; a stopper that is gone counts too.
    pub(crate) async fn stopped(&mut self) {
        // An error says that the stopper is gone, which means the same.
        drop(self.0.wait_for(|stopped| *stopped).await);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }
}
