//! What watches one connection.

use std::sync::Arc;

use bowline_proto::{Cause, CloseCode, Connection, EndedBy, Ending, Phase};
use tracing::Span;

#[cfg(feature = "hyper")]
use super::HandshakeOutcome;
use super::{
    EndingKind, Metrics,
    events::{self, Joined},
    traffic::Row,
};
#[cfg(feature = "hyper")]
use crate::error::Error;
use crate::{link::Backlog, options::Options, outbox::SlowPeer, receive_queue::Crossed};

/// Watches one connection for [`Metrics`] and `tracing`. A connection that nobody watches has
/// none.
#[derive(Debug)]
pub(crate) struct Observer {
    metrics: Option<Arc<Metrics>>,
    span: Span,
    /// What was added to the metrics so far.
    reported: Row,
    round_trips: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Open,
    Ended,
}

impl Observer {
    /// Makes an observer if there is anybody to tell.
    pub(crate) fn new(options: &Options, role: &'static str, path: &str) -> Option<Box<Self>> {
        let span = events::connection_span(role, Some(path));
        let metrics = options.metrics.clone();
        (metrics.is_some() || !span.is_disabled()).then(|| Box::new(Self::with(metrics, span)))
    }

    /// Makes an observer that counts.
    pub(crate) fn counting(metrics: Arc<Metrics>) -> Box<Self> {
        Box::new(Self::with(Some(metrics), Span::none()))
    }

    /// Makes an observer of a connection that had none until it joined a group.
    pub(crate) fn joining(joined: &Joined<'_>) -> Option<Box<Self>> {
        let span = joined.span();
        (!span.is_disabled()).then(|| Box::new(Self::with(None, span)))
    }

    fn with(metrics: Option<Arc<Metrics>>, span: Span) -> Self {
        Self {
            metrics,
            span,
            reported: Row::default(),
            round_trips: 0,
            state: State::New,
        }
    }

    /// Notes that the answer to the opening handshake did not get through.
    #[cfg(feature = "hyper")]
    pub(crate) fn failed(&self, error: &Error) {
        let outcome = HandshakeOutcome::from(error);
        if let Some(metrics) = &self.metrics {
            metrics.count_handshake(outcome);
        }
        events::failed(&self.span, outcome);
    }

    /// Notes that the connection is open.
    pub(crate) fn begin(&mut self) {
        self.state = State::Open;
        if let Some(metrics) = &self.metrics {
            metrics.count_open();
        }
        events::opened(&self.span);
    }

    /// Notes to which group the connection belongs.
    pub(crate) fn join(&mut self, joined: &Joined<'_>) {
        if self.span.is_disabled() {
            self.span = joined.span();
        } else {
            joined.record(&self.span);
        }
    }

    /// Notes bytes read from the stream.
    pub(crate) fn read(&self, bytes: usize) {
        events::read(&self.span, bytes);
    }

    /// Notes bytes written to the stream.
    pub(crate) fn written(&self, bytes: usize) {
        events::written(&self.span, bytes);
    }

    pub(crate) const fn span(&self) -> &Span {
        &self.span
    }

    /// Adds what the connection did since this was last called.
    pub(crate) fn tally(&mut self, connection: &Connection, backlog: Backlog) {
        let Some(metrics) = &self.metrics else {
            return;
        };
        let counters = connection.counters();
        let row = Row::new(&counters, backlog);
        if row != self.reported {
            metrics.count_traffic(row.since(self.reported));
            self.reported = row;
        }
        if counters.round_trips != self.round_trips {
            self.round_trips = counters.round_trips;
            if let Some(time) = connection.round_trip() {
                metrics.count_round_trip(time);
            }
        }
    }

    /// Notes how the connection ended, once.
    pub(crate) fn end(&mut self, connection: &Connection) {
        // What waited is gone, whatever the engine still holds.
        self.tally(connection, Backlog::default());
        if let Some(ending) = connection.ending() {
            self.ended(ending);
        }
    }

    /// Notes messages that a policy dropped.
    pub(crate) fn dropped(&self, policy: &SlowPeer, count: u64) {
        if let Some(metrics) = &self.metrics {
            metrics.count_dropped(policy, count);
        }
    }

    /// Notes that the outbox is full for the first time since it was empty.
    pub(crate) fn slow_episode(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.count_slow_episode();
        }
    }

    /// Notes that what waits for the application has crossed a mark.
    pub(crate) fn crossed(&self, crossed: &Crossed) {
        if let Some(metrics) = &self.metrics {
            metrics.count_crossed(crossed);
        }
    }

    fn ended(&mut self, ending: &Ending) {
        if self.state != State::Open {
            return;
        }
        self.state = State::Ended;
        if let Some(metrics) = &self.metrics {
            metrics.count_end(ending);
        }
        events::ended(&self.span, EndingKind::of(ending), ending);
    }
}

impl Drop for Observer {
    /// A runtime that stops drops connections as they are.
    fn drop(&mut self) {
        if self.state != State::Open {
            return;
        }
        if let Some(metrics) = &self.metrics {
            metrics.count_traffic(self.reported.released());
        }
        self.ended(&Ending {
            by: EndedBy::Local,
            phase: Phase::Open,
            code: CloseCode::ABNORMAL,
            reason: Box::default(),
            cause: Cause::Aborted,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watching_costs_a_connection_150_bytes_and_the_program_2560() {
        let (observer, metrics) = (size_of::<Observer>(), size_of::<Metrics>());
        assert!(observer <= 150, "{observer} bytes");
        assert!(metrics <= 2560, "{metrics} bytes");
    }
}
