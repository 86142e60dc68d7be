//! `bowline simulate`: a device without hardware.

use std::{pin::pin, time::Duration};

use bowline::{CloseCode, Connector, Ending, Error, WebSocket};
use bowline_bus::{
    dialect::clown_talk::{Line, ParseLimits, encode, lines, parse},
    simulator::Node,
};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};

use crate::{
    args::SimulateArgs,
    command::{current_thread, device, trust},
    exit::Failure,
    signals::stop_requested,
};

/// Simulates a node, or a device that follows a script, until a signal stops it.
pub(crate) fn run(args: SimulateArgs) -> Result<(), Failure> {
    let runtime = current_thread()?;
    match &args.script {
        Some(script) => runtime.block_on(device::serve(script, args.listen)),
        None => runtime.block_on(simulate(args)),
    }
}

async fn simulate(args: SimulateArgs) -> Result<(), Failure> {
    let stop = stop_requested()?;
    let mut stop = pin!(stop);
    let connector = Connector {
        tls: trust(args.ca.as_deref())?,
        ..Connector::default()
    };
    let mut device = Device::new(args.seed.unwrap_or_else(rand::random));
    let mut backoff = Backoff::default();
    loop {
        let connected = tokio::select! {
            connected = connector.connect(&args.url) => connected,
            () = &mut stop => return Ok(()),
        };
        match connected {
            Ok(mut ws) => {
                info!(url = without_password(&args.url), "connected");
                let since = Instant::now();
                tokio::select! {
                    lived = device.live(&mut ws) => lived?,
                    () = &mut stop => {
                        ws.close(CloseCode::GOING_AWAY, "the device stops").await?;
                        return Ok(());
                    }
                }
                backoff.note_lifetime(since.elapsed());
                warn!(how = %told(ws.ending()), "the hub is gone");
            }
            Err(error) if is_lasting(&error) => {
                return Err(Failure::Connect {
                    url: args.url,
                    error,
                });
            }
            Err(error) => warn!(%error, "no connection"),
        }
        let pause = backoff.next_pause();
        info!(
            seconds = format!("{:.1}", pause.as_secs_f64()),
            "trying again"
        );
        tokio::select! {
            () = sleep(pause) => {}
            () = &mut stop => return Ok(()),
        }
    }
}

/// A node and its clock.
struct Device {
    node: Node,
    born: Instant,
    has_lived: bool,
}

impl Device {
    fn new(seed: u64) -> Self {
        Self {
            node: Node::new(Duration::ZERO, seed),
            born: Instant::now(),
            has_lived: false,
        }
    }

    /// Works on one connection until it is over.
    async fn live(&mut self, ws: &mut WebSocket) -> Result<(), Failure> {
        if std::mem::replace(&mut self.has_lived, true) {
            // A hub that comes back may have lost the last values.
            for topic in ["relay/i2c0-3b/get", "thermometer/i2c0-48/get"] {
                self.node.handle_message(self.born.elapsed(), topic, "{}");
            }
        }
        if let Err(error) = ws.send(INIT).await {
            return ended(error);
        }
        loop {
            self.node.handle_timeout(self.born.elapsed());
            while let Some(message) = self.node.poll_message() {
                let Ok(line) = encode(message.topic, message.payload.as_bytes()) else {
                    continue;
                };
                debug!(
                    topic = message.topic,
                    payload = message.payload,
                    "published"
                );
                if let Err(error) = ws.send(line).await {
                    return ended(error);
                }
            }
            let deadline = self.node.poll_timeout().map(|due| self.born + due);
            tokio::select! {
                message = ws.recv() => match message {
                    Some(message) => self.take(message.as_text().unwrap_or_default()),
                    None => return Ok(()),
                },
                () = until(deadline) => {}
            }
        }
    }

    fn take(&mut self, text: &str) {
        for line in lines(text) {
            let Ok(Line::Message(message)) = parse(line, &ParseLimits::default()) else {
                debug!("ignored a line");
                continue;
            };
            if message.topic.ends_with("/set") {
                info!(topic = message.topic, payload = message.payload, "told");
            }
            self.node
                .handle_message(self.born.elapsed(), &message.topic, message.payload);
        }
    }
}

/// Waits longer from attempt to attempt, and never as long as the neighbour.
#[derive(Default)]
struct Backoff {
    attempt: u32,
}

impl Backoff {
    /// Starts over after a connection that lasted.
    fn note_lifetime(&mut self, lifetime: Duration) {
        if lifetime >= STABLE_AFTER {
            self.attempt = 0;
        }
    }

    fn next_pause(&mut self) -> Duration {
        let whole = PAUSE_FIRST
            .saturating_mul(1 << self.attempt.min(16))
            .min(PAUSE_MAX);
        self.attempt = self.attempt.saturating_add(1);
        whole.mul_f64(rand::random_range(0.5..1.0))
    }
}

/// A connection that closes while something is sent is just over.
fn ended(error: Error) -> Result<(), Failure> {
    if matches!(error, Error::Closed(_)) {
        Ok(())
    } else {
        Err(error.into())
    }
}

/// Says whether the next attempt would fail the same way.
fn is_lasting(error: &Error) -> bool {
    if let Error::Refused(refused) = error {
        let status = refused.response.status();
        (300..500).contains(&status) && !matches!(status, 408 | 429)
    } else {
        matches!(error, Error::Url(_))
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn told(ending: Option<Ending>) -> String {
    ending.map_or_else(
        || "the connection broke".to_owned(),
        |ending| format!("{}: {}", ending.cause, ending.code),
    )
}

/// Leaves name and password out of a URL, for the log.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, tail) = rest.split_at(end);
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}{tail}")
        }
        None => url.to_owned(),
    }
}

/// The message a peer sends first.
const INIT: &str = "[\"clown.talk/-/config/set\", {}]\n";

const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Time a connection must have lasted for its loss to start the pauses over.
const STABLE_AFTER: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_start_over_after_a_lasting_connection() {
        let mut backoff = Backoff::default();
        let first = backoff.next_pause();
        assert!(
            first <= PAUSE_FIRST && first >= PAUSE_FIRST / 2,
            "{first:?}"
        );
        for _ in 0..40 {
            backoff.next_pause();
        }
        assert!(backoff.next_pause() >= PAUSE_MAX / 2);
        backoff.note_lifetime(Duration::from_secs(1));
        assert!(backoff.next_pause() >= PAUSE_MAX / 2);
        backoff.note_lifetime(STABLE_AFTER);
        assert!(backoff.next_pause() <= PAUSE_FIRST);
    }

    #[test]
    fn passwords_stay_out_of_the_log() {
        for (url, shown) in [
            ("ws://clown:secret@a:1/x@y", "ws://a:1/x@y"),
            ("wss://a/x", "wss://a/x"),
            ("ws://u@a?q", "ws://a?q"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
