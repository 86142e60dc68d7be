//! Recorded conversations of elements: what all of its links said, and what people did.
//!
//! The first line has a member `element` with what is needed to play it again: its name, its
//! connector, the text of its settings, what it had saved, and what random starts of timers were
//! drawn from:
//!
//! ```text
//! {"conversation":1,"started":"...","element":{"name":"tank","connector":"tank.xml",
//!  "settings":"connector = ...","saved":{"11":"ws://..."},"seed":7}}
//! ```
//!
//! Lines of messages have the number of their `link`. So do those of links that were closed, which do
//! not say by whom; `class` says in one word how. Other lines are:
//!
//! ```text
//! {"t":0.01,"dir":"out","kind":"attempt","link":1,"url":"/feed","headers":[["X-Key","1"]]}
//! {"t":0.02,"dir":"in","kind":"open","link":1,"status":"HTTP/1.1 101 ...","headers":[...]}
//! {"t":0.02,"dir":"in","kind":"failed","link":1,"class":"refused","reason":"...","status":"..."}
//! {"t":1.5,"kind":"set","parameter":14,"data":"1"}
//! {"t":1.5,"kind":"value","parameter":20,"value":1}
//! {"t":2.0,"kind":"tick"}
//! {"t":2.5,"kind":"end"}
//! ```
//!
//! `tick` says that something was due. `assign`, `fire` and `reconnect` are what code and people did.
//! A `value` is a number, a text, bytes as `{"base64":"..."}`, or left out when it is empty. Values of
//! headers that carry secrets are written as `...`.

mod line;
mod record;
mod secrets;
mod value;

use bowline_connector::{machine::Value, plan::ParameterId};

pub(crate) use self::{
    line::{Kind, Line},
    record::{Record, Taker},
    value::{from_json, to_json},
};

/// What the conversation of an element begins with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ElementHeading {
    /// The name of the element.
    pub(crate) name: String,
    /// The connector's file, as it was named.
    pub(crate) connector: String,
    /// The text of its settings.
    pub(crate) settings: String,
    pub(crate) saved: Vec<(ParameterId, Value)>,
    pub(crate) seed: u64,
    /// When it began, as in RFC 3339.
    pub(crate) started: Option<String>,
}

#[cfg(test)]
mod tests;
