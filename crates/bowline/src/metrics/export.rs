//! The numbers in the `OpenMetrics` format.

use std::{fmt, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};

use super::{CloseCodeClass, HandshakeOutcome, Metrics, POLICIES, RoundTrips, Snapshot};

/// Puts the numbers into a registry of the application:
/// `registry.register_collector(Box::new(Arc::clone(&metrics)))`.
impl Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        Export { encoder }.snapshot(&self.snapshot())
    }
}

impl Snapshot {
    /// Gives the numbers as text in the `OpenMetrics` format, with its end mark.
    ///
    /// Its media type is [`OPEN_METRICS_TYPE`](Self::OPEN_METRICS_TYPE).
    pub fn to_open_metrics(&self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        let written = text::encode(&mut text, &registry);
        debug_assert!(written.is_ok(), "a string takes any text");
        text
    }

    /// The value of `Content-Type` for [`to_open_metrics`](Self::to_open_metrics).
    pub const OPEN_METRICS_TYPE: &str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        Export { encoder }.snapshot(self)
    }
}

/// Writes metric by metric.
struct Export<'e> {
    encoder: DescriptorEncoder<'e>,
}

type Labels<'l> = &'l [(&'static str, &'l str)];

impl Export<'_> {
    fn snapshot(&mut self, snapshot: &Snapshot) -> fmt::Result {
        self.handshakes(snapshot)?;
        self.gauge(
            "bowline_connections_open",
            "Open connections",
            None,
            snapshot.connections_open,
        )?;
        self.endings(snapshot)?;
        self.traffic(snapshot)?;
        self.backlog(snapshot)?;
        let dropped = snapshot.dropped;
        let counts = [
            dropped.drop_newest,
            dropped.drop_oldest,
            dropped.keep_latest,
            dropped.close,
        ];
        let mut family = self.counters(
            "bowline_messages_dropped",
            "Messages dropped because the peer did not keep up",
            None,
        )?;
        for (policy, count) in POLICIES.into_iter().zip(counts) {
            add(&mut family, &[("policy", policy)], count)?;
        }
        let mut episodes = self.counters(
            "bowline_slow_episodes",
            "Times an outbox was full, once until it was empty again",
            None,
        )?;
        episodes.encode_counter::<NoLabelSet, u64, u64>(&snapshot.slow_episodes, None)?;
        for (name, help, count) in [
            (
                "bowline_receive_warnings",
                "Times much waited for the application",
                snapshot.receive_warnings,
            ),
            (
                "bowline_receive_stops",
                "Times reading stopped because much waited for the application",
                snapshot.receive_stops,
            ),
        ] {
            self.counters(name, help, None)?
                .encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
        }
        self.round_trips(&snapshot.round_trips)
    }

    fn handshakes(&mut self, snapshot: &Snapshot) -> fmt::Result {
        let mut family = self.counters(
            "bowline_handshakes",
            "Opening handshakes that are over",
            None,
        )?;
        for (outcome, count) in &snapshot.handshakes {
            let (status, code) = match outcome {
                HandshakeOutcome::Refused { status, code } => {
                    (status.to_string(), code.to_string())
                }
                HandshakeOutcome::Accepted
                | HandshakeOutcome::TimedOut
                | HandshakeOutcome::Io
                | HandshakeOutcome::Failed => (String::new(), String::new()),
            };
            let labels = [
                ("outcome", outcome.label()),
                ("status", &status),
                ("code", &code),
            ];
            add(&mut family, &labels, *count)?;
        }
        Ok(())
    }

    fn endings(&mut self, snapshot: &Snapshot) -> fmt::Result {
        let mut family = self.counters(
            "bowline_connections_ended",
            "Connections that ended, by side and cause",
            None,
        )?;
        for (kind, count) in &snapshot.endings {
            let labels = [("by", kind.by_label()), ("cause", kind.cause.label())];
            add(&mut family, &labels, *count)?;
        }
        let mut family = self.counters(
            "bowline_close_codes",
            "Close codes of connections that ended",
            None,
        )?;
        for (class, count) in &snapshot.close_codes {
            let code = match class {
                CloseCodeClass::Standard(code) => code.to_string(),
                CloseCodeClass::Registered => "3xxx".to_owned(),
                CloseCodeClass::Private => "4xxx".to_owned(),
                CloseCodeClass::Other => "other".to_owned(),
            };
            add(&mut family, &[("code", &code)], *count)?;
        }
        Ok(())
    }

    fn traffic(&mut self, snapshot: &Snapshot) -> fmt::Result {
        let metrics = [
            (
                ("bowline_messages", "Whole messages", None),
                [snapshot.messages_in, snapshot.messages_out],
            ),
            (
                (
                    "bowline_payload",
                    "Payload, uncompressed",
                    Some(Unit::Bytes),
                ),
                [snapshot.payload_bytes_in, snapshot.payload_bytes_out],
            ),
            (
                (
                    "bowline_wire",
                    "Bytes of streams, after compression and with headers",
                    Some(Unit::Bytes),
                ),
                [snapshot.wire_bytes_in, snapshot.wire_bytes_out],
            ),
        ];
        for ((name, help, unit), counts) in metrics {
            let mut family = self.counters(name, help, unit.as_ref())?;
            for (direction, count) in ["in", "out"].into_iter().zip(counts) {
                add(&mut family, &[("direction", direction)], count)?;
            }
        }
        let mut pings = self.counters("bowline_pings_received", "Pings received", None)?;
        pings.encode_counter::<NoLabelSet, u64, u64>(&snapshot.pings_in, None)
    }

    fn backlog(&mut self, snapshot: &Snapshot) -> fmt::Result {
        let backlog = snapshot.backlog;
        self.gauge(
            "bowline_backlog_messages",
            "Messages that wait in outboxes",
            None,
            backlog.messages as u64,
        )?;
        self.gauge(
            "bowline_backlog",
            "Payload that waits in outboxes",
            Some(&Unit::Bytes),
            backlog.bytes as u64,
        )?;
        self.gauge(
            "bowline_backlog_framed",
            "Bytes framed and not written yet",
            Some(&Unit::Bytes),
            backlog.framed_bytes as u64,
        )
    }

    fn round_trips(&mut self, round_trips: &RoundTrips) -> fmt::Result {
        let bounds = RoundTrips::BOUNDS.iter().map(Duration::as_secs_f64);
        let buckets: Vec<_> = bounds
            .chain([f64::INFINITY])
            .zip(round_trips.counts)
            .collect();
        self.encoder
            .encode_descriptor(
                "bowline_round_trip",
                "Times from keepalive pings to their pongs",
                Some(&Unit::Seconds),
                MetricType::Histogram,
            )?
            .encode_histogram::<NoLabelSet>(
                round_trips.sum.as_secs_f64(),
                round_trips.count(),
                &buckets,
                None,
            )
    }

    fn counters<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        unit: Option<&'s Unit>,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.encoder
            .encode_descriptor(name, help, unit, MetricType::Counter)
    }

    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: u64) -> fmt::Result {
        self.encoder
            .encode_descriptor(name, help, unit, MetricType::Gauge)?
            .encode_gauge(&value)
    }
}

fn add(family: &mut MetricEncoder<'_>, labels: Labels<'_>, count: u64) -> fmt::Result {
    family
        .encode_family(&labels)?
        .encode_counter::<NoLabelSet, u64, u64>(&count, None)
}
