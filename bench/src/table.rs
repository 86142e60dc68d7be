//! `Table`: one line per scenario, ours in nanoseconds and the others as ratios to it.

use std::{fmt, fs, path::Path, time::SystemTime};

use crate::timing::Subject;

/// The medians of one invocation.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    scenario: String,
    /// Nanoseconds per message, by library.
    medians: Vec<(&'static str, f64)>,
}

impl Table {
    /// Adds a median that criterion wrote after `began`, if it did.
    pub fn add(&mut self, subject: &Subject<'_>, estimates: &Path, began: SystemTime) {
        let Some(median) = read_median(estimates, began) else {
            return;
        };
        let scenario = format!("{}/{}", subject.group, subject.scenario);
        let median = (subject.library, median / subject.count as f64);
        match self.rows.last_mut() {
            Some(row) if row.scenario == scenario => row.medians.push(median),
            _ => self.rows.push(Row {
                scenario,
                medians: vec![median],
            }),
        }
    }

    /// Says whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = PEERS.map(|name| format!("{name:>17}")).concat();
        writeln!(f, "{:<34}{:>12}{names}", "scenario", "bowline")?;
        for row in &self.rows {
            let ours = row.median("bowline");
            let shown = ours.map_or_else(|| "-".to_owned(), nanoseconds);
            write!(f, "{:<34}{shown:>12}", row.scenario)?;
            for peer in PEERS {
                let ratio = row.median(peer).zip(ours);
                let shown = ratio.map_or_else(
                    || "-".to_owned(),
                    |(peer, ours)| format!("{:.2}", peer / ours),
                );
                write!(f, "{shown:>17}")?;
            }
            writeln!(f)?;
        }
        f.write_str(NOTES)
    }
}

impl Row {
    fn median(&self, library: &str) -> Option<f64> {
        let found = self.medians.iter().find(|(name, _)| *name == library);
        found.map(|(_, median)| *median)
    }
}

fn read_median(estimates: &Path, began: SystemTime) -> Option<f64> {
    let written = fs::metadata(estimates).and_then(|file| file.modified());
    if written.ok()? < began {
        return None;
    }
    let estimates: serde_json::Value = serde_json::from_slice(&fs::read(estimates).ok()?).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}

fn nanoseconds(median: f64) -> String {
    if median < 1000.0 {
        format!("{median:.1} ns")
    } else {
        format!("{median:.0} ns")
    }
}

const PEERS: [&str; 5] = [
    "tungstenite",
    "fastwebsockets",
    "tokio-websockets",
    "yawc",
    "sockudo-ws",
];

const NOTES: &str = "
bowline: median processor time of one message. Others: their time divided by bowline's; above 1 they are slower.
-: the library has no such function in public, or does not do it (only bowline, yawc and sockudo-ws compress).
decode, inflate: bursts of up to 1,024 messages with 48 KiB of payload, read in turns of at most 64 KiB; the
copy out of the stream is part of every time. A message of 1 MiB is a burst by itself and takes 17 reads.
encode, deflate: the same bursts, flushed once, into a stream that drops them.
deflate: level 6, windows of 15 bits; what does not become shorter is sent as it is, and counts as well.
All validate the text they receive and bound messages. Clients draw masks from rand's thread generator.

bowline           lends a message out of its read buffer; one cut by a read is put together by copying.
                  Text is validated but shown here as bytes: reading it as `&str` validates it once more.
                  Sends payloads below 4 KiB by copying, longer ones shared (server) or masked copies.
                  Gives every buffer back when all is written. Takes compressing contexts from a pool for
                  each message; with takeover they are loaded with the window first.
tungstenite       blocking. Hands out reference-counted slices of its read buffer; keeps its write buffer.
fastwebsockets    hands out reference-counted slices. Writes every frame to the stream by itself: cheap
                  here, a system call on a socket.
tokio-websockets  stream and sink of tokio-util. Hands out reference-counted slices; queues header and
                  payload of each frame and writes them vectored; a client copies a shared payload to mask it.
yawc              stream and sink of tokio-util. Hands out reference-counted slices; copies what it sends
                  to a buffer it keeps. Keeps its compressing contexts with the connection.
sockudo-ws        its `Protocol` alone, without the stream around it: the messages of a read are
                  reference-counted slices in a list; copies what it sends to a buffer that is kept here.
                  Keeps its compressing contexts with the connection. Masks with AVX2 or AVX-512.
";
