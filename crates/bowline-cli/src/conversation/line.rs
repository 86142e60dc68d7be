//! The lines of a conversation as they are written.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use super::{Entry, Way, What, error::Problem};

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HeadingLine {
    pub(super) conversation: u64,
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) subprotocol: Option<String>,
    #[serde(default)]
    pub(super) started: Option<String>,
}

/// Any other line. It is flat, so that errors have their place.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EntryLine {
    t: f64,
    dir: Direction,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Out,
    In,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Text,
    Binary,
    Ping,
    Pong,
    Close,
}

impl EntryLine {
    pub(super) fn of(entry: &Entry) -> Self {
        let base64 = |data: &[u8]| Some(BASE64_STANDARD.encode(data));
        let (kind, data) = match &entry.what {
            What::Text(text) => (Kind::Text, Some(text.clone())),
            What::Binary(data) => (Kind::Binary, base64(data)),
            What::Ping(data) => (Kind::Ping, base64(data)),
            What::Pong(data) => (Kind::Pong, base64(data)),
            What::Close { .. } => (Kind::Close, None),
        };
        let (code, reason) = match &entry.what {
            What::Close { code, reason } => (*code, Some(reason.clone())),
            What::Text(_) | What::Binary(_) | What::Ping(_) | What::Pong(_) => (None, None),
        };
        Self {
            t: (entry.at.as_secs_f64() * 1e6).round() / 1e6,
            dir: match entry.way {
                Way::Out => Direction::Out,
                Way::In => Direction::In,
            },
            kind,
            data,
            code,
            reason,
        }
    }

    pub(super) fn entry(self) -> Result<Entry, Problem> {
        let at = Duration::try_from_secs_f64(self.t).map_err(|_| Problem::Time)?;
        let way = match self.dir {
            Direction::Out => Way::Out,
            Direction::In => Way::In,
        };
        let what = match self.kind {
            Kind::Text => What::Text(self.data.ok_or(Problem::NoData)?),
            Kind::Binary => What::Binary(self.bytes()?),
            Kind::Ping => What::Ping(self.bytes()?),
            Kind::Pong => What::Pong(self.bytes()?),
            Kind::Close => What::Close {
                code: self.code,
                reason: self.reason.unwrap_or_default(),
            },
        };
        Ok(Entry { at, way, what })
    }

    fn bytes(self) -> Result<Vec<u8>, Problem> {
        let data = self.data.ok_or(Problem::NoData)?;
        BASE64_STANDARD.decode(data).map_err(Problem::Base64)
    }
}
