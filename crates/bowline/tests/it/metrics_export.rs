//! The numbers as text.

use bowline::{CloseCode, metrics::Snapshot};

use crate::metrics::Site;

#[tokio::test(start_paused = true)]
async fn the_numbers_are_exported_under_the_names_of_the_guide() {
    let site = Site::new();
    let (mut client, mut server) = site.join().await;
    client.send("four").await.unwrap();
    assert!(server.recv().await.is_some());
    let text = site.server.snapshot().to_open_metrics();
    for line in [
        "# TYPE bowline_connections_open gauge",
        "bowline_connections_open 1",
        "bowline_handshakes_total{outcome=\"accepted\",status=\"\",code=\"\"} 1",
        "bowline_messages_total{direction=\"in\"} 1",
        "bowline_messages_total{direction=\"out\"} 0",
        "# UNIT bowline_payload_bytes bytes",
        "bowline_payload_bytes_total{direction=\"in\"} 4",
        "bowline_wire_bytes_total{direction=\"in\"} 10",
        "bowline_pings_received_total 0",
        "bowline_backlog_messages 0",
        "bowline_backlog_bytes 0",
        "bowline_backlog_framed_bytes 0",
        "bowline_messages_dropped_total{policy=\"drop_oldest\"} 0",
        "bowline_slow_episodes_total 0",
        "bowline_round_trip_seconds_count 0",
        "bowline_round_trip_seconds_bucket{le=\"0.0025\"} 0",
        "bowline_round_trip_seconds_bucket{le=\"+Inf\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));

    client.close(CloseCode(4001), "").await.unwrap();
    while server.recv().await.is_some() {}
    let text = site.server.snapshot().to_open_metrics();
    for line in [
        "bowline_connections_open 0",
        "bowline_connections_ended_total{by=\"peer\",cause=\"closing_handshake\"} 1",
        "bowline_close_codes_total{code=\"4xxx\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn every_exported_name_is_in_the_guide_and_the_other_way_round() {
    let guide = include_str!("../../docs/guide/observability.md");
    let text = Snapshot::default().to_open_metrics();
    let exported = text.lines().filter_map(|line| {
        let mut words = line.strip_prefix("# TYPE ")?.split(' ');
        let (name, kind) = (words.next()?, words.next()?);
        Some(match kind {
            "counter" => format!("`{name}_total`"),
            _ => format!("`{name}`"),
        })
    });
    let mut exported: Vec<_> = exported.collect();
    let in_table = guide.lines().filter(|line| line.starts_with("| `bowline_"));
    let mut written: Vec<_> = in_table
        .filter_map(|line| line.split('|').nth(1))
        .map(|name| name.trim().to_owned())
        .collect();
    exported.sort();
    written.sort();
    assert_eq!(exported, written);
}
