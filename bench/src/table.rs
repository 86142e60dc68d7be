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
bowline: median time of one message. Others: their time divided by bowline's; above 1 they are slower.
-: the library has no such function in public, or does not do it (only bowline, yawc and sockudo-ws compress).
Bursts of up to 1,024 messages (48 KiB of payload; 1 MiB is one message) come in reads of at most 64 KiB.
All validate text and enforce limits; client masks come from rand's thread generator; deflate level 6, window 15.

bowline           lends each message out of the read buffer; one cut by a read is copied together.
                  The text is validated but shown as bytes: reading it as `&str` validates it again.
                  Sends short payloads borrowed, from 4 KiB shared and uncopied in the server role.
                  Compressing contexts come from a pool per message; with takeover the window is reloaded.
tungstenite       blocking; a message is a reference-counted slice of its read buffer.
fastwebsockets    a message is a reference-counted slice; every send is a write of its own, which is
                  cheap in memory and a system call on a socket. Validates fragments with another decoder.
tokio-websockets  stream and sink of tokio-util; a message is a reference-counted slice.
                  Sends queue header and payload and write them vectored; a client copies to mask.
yawc              stream and sink of tokio-util; a message is a reference-counted slice.
                  Keeps a compressing context per connection.
sockudo-ws        its `Protocol`, without the stream around it: messages are reference-counted slices
                  collected in a list. Keeps a compressing context per connection.
";
