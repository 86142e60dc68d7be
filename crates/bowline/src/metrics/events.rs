//! Everything that is told to `tracing`, in one place.
//!
//! What may hold a secret is never recorded: the query and the userinfo of URLs, headers, cookies,
//! subprotocols, keys, payloads, close reasons.

use std::net::SocketAddr;

use bowline_proto::{Cause, Ending};
use tracing::{Span, debug, debug_span, field::Empty, info, trace, warn};

use super::{EndingKind, HandshakeOutcome, policy_label};
use crate::{
    error::Error,
    link::Backlog,
    options::Options,
    outbox::SlowPeer,
    receive_queue::Crossed,
    server::{ConnectionId, DrainReport},
};

/// What is known of a connection when it joins a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined<'a> {
    pub(crate) id: ConnectionId,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) path: Option<&'a str>,
    pub(crate) group: &'a str,
}

impl Joined<'_> {
    pub(super) fn span(&self) -> Span {
        let span = connection_span("server", self.path);
        self.record(&span);
        span
    }

    pub(super) fn record(&self, span: &Span) {
        span.record("id", self.id.as_u64());
        span.record("group", self.group);
        if let Some(peer) = self.peer {
            span.record("peer", tracing::field::display(peer));
        }
    }
}

/// Makes the span of a connection; `path` is without the query.
pub(super) fn connection_span(role: &'static str, path: Option<&str>) -> Span {
    debug_span!(
        target: TARGET,
        "connection",
        role,
        path = path.map(shortened),
        id = Empty,
        peer = Empty,
        group = Empty,
    )
}

#[cfg(feature = "hyper")]
pub(super) fn failed(span: &Span, outcome: HandshakeOutcome) {
    let outcome = outcome.label();
    debug!(target: TARGET, parent: span, outcome, "an opening handshake failed");
}

pub(super) fn opened(span: &Span) {
    debug!(target: TARGET, parent: span, "the connection is open");
}

pub(super) fn ended(span: &Span, kind: EndingKind, ending: &Ending) {
    let code = ending.code.0;
    if let Cause::Violation(_) | Cause::Limit(_) = ending.cause {
        let rule = ending.cause;
        debug!(target: TARGET, parent: span, code, %rule, "the peer broke a rule");
    }
    debug!(
        target: TARGET,
        parent: span,
        by = kind.by_label(),
        cause = kind.cause.label(),
        code,
        "the connection ended",
    );
}

pub(super) fn read(span: &Span, bytes: usize) {
    trace!(target: TARGET, parent: span, bytes, "read");
}

pub(super) fn written(span: &Span, bytes: usize) {
    trace!(target: TARGET, parent: span, bytes, "written");
}

/// Reports a peer that does not keep up.
pub(crate) fn report_slow(
    id: ConnectionId,
    group: Option<&str>,
    policy: &SlowPeer,
    backlog: Backlog,
) {
    let id = id.as_u64();
    let Backlog {
        messages, bytes, ..
    } = backlog;
    if *policy == SlowPeer::Wait {
        debug!(target: TARGET, id, group, messages, bytes, "a peer does not keep up: senders wait");
    } else {
        let policy = policy_label(policy);
        warn!(target: TARGET, id, group, policy, messages, bytes, "a peer does not keep up");
    }
}

/// Reports that much waits for the application, and that reading stopped for it. A peer that sends
/// in bursts must not fill the log: what happened before is told to those who look for it.
pub(crate) fn report_waiting(id: Option<ConnectionId>, group: Option<&str>, crossed: &Crossed) {
    let id = id.map(ConnectionId::as_u64);
    let (messages, bytes) = (crossed.messages, crossed.bytes);
    let what = if crossed.stops {
        "the application does not keep up: reading stops"
    } else {
        "the application does not keep up"
    };
    if crossed.is_first {
        warn!(target: TARGET, id, group, messages, bytes, "{what}");
    } else {
        debug!(target: TARGET, id, group, messages, bytes, "{what}");
    }
}

/// Reports how the connections of a registry were ended.
pub(crate) fn report_drain(report: &DrainReport) {
    let DrainReport { told, cut } = report;
    info!(target: TARGET, told, cut = cut.len(), "drained");
}

impl Options {
    /// Notes an opening handshake that failed; gives the error back.
    pub(crate) fn handshake_failed(&self, error: Error) -> Error {
        self.handshake_over(HandshakeOutcome::from(&error), None);
        error
    }

    /// Notes how an opening handshake ended that leads to no connection; `path` is without the
    /// query.
    pub(crate) fn handshake_over(&self, outcome: HandshakeOutcome, path: Option<&str>) {
        if let Some(metrics) = &self.metrics {
            metrics.count_handshake(outcome);
        }
        let path = path.map(shortened);
        if let HandshakeOutcome::Refused { status, code } = outcome {
            debug!(target: TARGET, status, code, path, "an opening handshake was refused");
        } else {
            let outcome = outcome.label();
            debug!(target: TARGET, outcome, path, "an opening handshake failed");
        }
    }
}

/// A path is the peer's to choose, and may be as long as a head.
fn shortened(path: &str) -> &str {
    path.get(..path.floor_char_boundary(PATH_LEN_MAX))
        .unwrap_or_default()
}

const PATH_LEN_MAX: usize = 256;
/// The target of all spans and events.
const TARGET: &str = "bowline";
