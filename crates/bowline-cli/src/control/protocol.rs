//! What is said over the socket.

use bowline_connector::{
    plan::Measurement,
    runner::{LinkStatus, ParameterStatus, Snapshot},
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    conversation::element::to_json,
    elements::shown::{self, Shown},
};

/// A request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Request {
    /// Sets a parameter, or presses a button.
    Set {
        element: String,
        parameter: String,
        #[serde(default)]
        value: Option<String>,
    },
    /// Tells the state of one element or all.
    Get {
        #[serde(default)]
        element: Option<String>,
        #[serde(default)]
        parameter: Option<String>,
    },
    /// Makes a link anew.
    Reconnect { element: String, link: u32 },
}

/// A reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reply {
    /// The state of one element; more replies follow.
    Element(Box<ElementState>),
    /// It is done; the parameter as it is now, if it is about one.
    Done(Option<Box<ParameterState>>),
    /// It is not.
    Error(String),
}

/// An element.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ElementState {
    pub(crate) name: String,
    pub(crate) health: String,
    pub(crate) links: Vec<LinkState>,
    pub(crate) parameters: Vec<ParameterState>,
}

/// A link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LinkState {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) health: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint: Option<String>,
    /// Why there was none, the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_loss: Option<String>,
}

/// A parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ParameterState {
    pub(crate) element: String,
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    /// `null` when it is empty.
    #[serde(default)]
    pub(crate) value: Option<Json>,
    /// As people read it.
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(crate) units: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alarm: Option<String>,
    pub(crate) is_displayed: bool,
    pub(crate) is_button: bool,
}

impl ElementState {
    pub(crate) fn of(snapshot: &Snapshot, shown: Shown<'_>) -> Self {
        let parameters = snapshot.parameters.iter();
        let parameters =
            parameters.map(|parameter| ParameterState::of(&snapshot.name, parameter, shown));
        Self {
            name: snapshot.name.clone(),
            health: shown::level(snapshot.health).to_owned(),
            links: snapshot.links.iter().map(LinkState::of).collect(),
            parameters: parameters.collect(),
        }
    }
}

impl LinkState {
    fn of(link: &LinkStatus) -> Self {
        Self {
            id: link.id.0,
            name: link.name.clone(),
            state: link.state.word().to_owned(),
            health: shown::level(link.health).to_owned(),
            endpoint: link.endpoint.clone(),
            last_loss: link.last_loss.as_ref().map(|loss| loss.text.clone()),
        }
    }
}

impl ParameterState {
    pub(crate) fn of(element: &str, parameter: &ParameterStatus, shown: Shown<'_>) -> Self {
        Self {
            element: element.to_owned(),
            id: parameter.id.0,
            name: parameter.name.clone(),
            description: parameter.description.clone(),
            value: to_json(&parameter.value),
            text: shown.display(parameter.id, &parameter.value),
            label: parameter.label.clone(),
            units: parameter.units.clone(),
            alarm: parameter.alarm.map(shown::alarm).map(str::to_owned),
            is_displayed: parameter.is_displayed,
            is_button: parameter.measurement == Measurement::Button,
        }
    }
}

/// Bytes of a request: a value of the most bytes, escaped.
pub(super) const REQUEST_LEN_MAX: u64 = 100 << 20;
/// Bytes of a reply.
pub(super) const REPLY_LEN_MAX: u64 = 512 << 20;
