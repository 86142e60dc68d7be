//! The life of one link.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use bowline_proto::{Close, CloseCode, Ending};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    control::Wish, core::Core, event::ClientEvent, heartbeat::Heartbeat, policy::bounded,
    wire::Wire,
};
use crate::error::Error;

/// Receives and sends on one link until it is over, or its generation is.
pub(super) struct Session<'a> {
    pub(super) core: &'a Core,
    pub(super) wire: &'a Arc<dyn Wire>,
    pub(super) generation: u64,
    pub(super) heartbeat: Option<&'a Heartbeat>,
}

impl Session<'_> {
    /// Lives until the link is over and its stream let go of.
    pub(super) async fn run(&self) -> Ending {
        let is_superseded = tokio::select! {
            biased;
            () = self.core.control.superseded(self.generation) => true,
            () = self.read() => false,
            never = self.write() => match never {},
        };
        if is_superseded {
            self.finish().await;
        }
        // The reading side may have written the last of it.
        if self.wire.is_flushed().await {
            self.core.outbox.landed(0);
        }
        let ending = end(self.wire.as_ref());
        self.core.link_down();
        ending
    }

    /// Receives until the link is over.
    async fn read(&self) {
        loop {
            self.core.events.room().await;
            match self.wire.message().await {
                Some(message) => {
                    if let Some(crossed) = self.core.events.push(ClientEvent::Message(message)) {
                        self.wire.crossed(&crossed);
                    }
                }
                None => return,
            }
        }
    }

    /// Sends what the outbox has, and heartbeats, as long as it lasts.
    async fn write(&self) -> Infallible {
        let mut beat_at = self.next_beat();
        loop {
            let written = self.write_some().await;
            let Ok(is_more) = written else {
                // Whoever reads learns how the link ended.
                return pending().await;
            };
            if let (Some(heartbeat), Some(at)) = (self.heartbeat, beat_at)
                && at <= Instant::now()
            {
                beat_at = self.next_beat();
                if self.beat(heartbeat).await.is_err() {
                    return pending().await;
                }
            }
            if !is_more {
                tokio::select! {
                    () = self.core.outbox.work() => {}
                    () = until(beat_at) => {}
                }
            }
        }
    }

    /// Writes some messages; false if there were none.
    async fn write_some(&self) -> Result<bool, Error> {
        let outbox = &self.core.outbox;
        loop {
            self.wire.ready().await?;
            let Some(message) = outbox.take() else { break };
            match self.wire.queue(message) {
                Ok(framed_len) => outbox.queued(framed_len),
                Err(Error::Misuse(misuse)) => outbox.take_back(Some(misuse)),
                Err(error) => {
                    outbox.take_back(None);
                    return Err(error);
                }
            }
        }
        self.settle().await
    }

    /// Finishes what is being written; false if nothing is.
    async fn settle(&self) -> Result<bool, Error> {
        if !self.core.outbox.is_flying() {
            return Ok(false);
        }
        let outbox = &self.core.outbox;
        self.wire
            .flush(|unwritten| outbox.landed(unwritten))
            .await?;
        outbox.landed(0);
        Ok(true)
    }

    async fn beat(&self, heartbeat: &Heartbeat) -> Result<(), Error> {
        self.wire.ready().await?;
        self.wire.queue(heartbeat.message.clone())?;
        self.wire.flush(|_| {}).await
    }

    fn next_beat(&self) -> Option<Instant> {
        let heartbeat = self.heartbeat?;
        Instant::now().checked_add(heartbeat.interval.max(INTERVAL_MIN))
    }

    /// Closes the link gracefully, within twice its close timeout: what is being written is
    /// finished, and everything that waits if the client is to close and nothing is to be dropped;
    /// then comes the closing handshake.
    async fn finish(&self) {
        let patience = bounded(self.wire.close_timeout());
        let wish = self.core.control.plan().wish;
        if matches!(wish, Wish::Up) || self.core.outbox.drops_unsent() {
            self.drive(self.settle_all(), patience).await;
        } else {
            self.drive(self.drain(), patience).await;
        }
        let close = match wish {
            Wish::Down(close) => close,
            Wish::Up | Wish::Stop => Close::new(CloseCode::NORMAL, "").ok(),
        };
        close_gracefully(self.wire.as_ref(), close, self.read()).await;
    }

    async fn settle_all(&self) {
        if self.settle().await.is_err() {
            pending::<()>().await;
        }
    }

    async fn drain(&self) {
        loop {
            match self.write_some().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => pending().await,
            }
        }
    }

    /// Receives while some work is done, for so long at most.
    async fn drive(&self, work: impl Future<Output = ()>, patience: Duration) {
        tokio::select! {
            () = work => {}
            () = self.read() => {}
            () = sleep(patience) => {}
        }
    }
}

/// Makes the closing handshake, within the close timeout, while `reading` receives.
pub(super) async fn close_gracefully(
    wire: &dyn Wire,
    close: Option<Close>,
    reading: impl Future<Output = ()>,
) {
    if wire.begin_close(close).is_err() {
        return;
    }
    // The link watches the timeout itself while it is read. It is not if nobody takes what it
    // receives.
    let patience = bounded(wire.close_timeout()) + GRACE;
    tokio::select! {
        () = reading => {}
        () = sleep(patience) => {}
    }
}

/// Lets go of the stream of a link, and tells how it ended.
pub(super) fn end(wire: &dyn Wire) -> Ending {
    wire.give_up();
    wire.ending()
        .expect("a link that was given up has an ending")
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

const INTERVAL_MIN: Duration = Duration::from_millis(1);
/// Lets the link's own deadline pass first.
const GRACE: Duration = Duration::from_millis(100);
