//! What the two ends say to each other.

use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a visitor says.
#[derive(Debug, Deserialize)]
pub(crate) struct Incoming {
    pub(crate) version: Option<u64>,
    pub(crate) patch: Option<Patch>,
    pub(crate) id: Option<u64>,
    #[serde(default)]
    pub(crate) resend: bool,
}

/// The number of a message that is otherwise not understood.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) id: Option<u64>,
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Outgoing<'a> {
    Document {
        version: u64,
        document: &'a Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        answers: Option<u64>,
    },
    Patch {
        version: u64,
        patch: &'a Patch,
        #[serde(skip_serializing_if = "Option::is_none")]
        answers: Option<u64>,
    },
    Refused {
        refused: Option<u64>,
        reason: String,
        version: u64,
    },
    Replaced {
        replaced: bool,
    },
}

impl Outgoing<'_> {
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("keys are text, and values came from JSON")
    }
}
