//! The settings of one element: a connector that runs, with a name and an endpoint of its own.

mod check;
mod duration;
mod file;
mod problem;
mod reader;

use std::{collections::BTreeMap, time::Duration};

use crate::plan::{LinkId, ParameterId};

pub use file::{ELEMENT_BYTES_MAX, ElementFile, ScriptFile};
pub use problem::{Problem, Problems};

/// The settings of an element. What is `None` is as the connector says.
#[derive(Clone, Debug, PartialEq)]
pub struct ElementSettings {
    /// The name: 1 to 64 characters that may stand in a topic level.
    pub name: String,
    /// A number for those who ask for the element's.
    pub id: u32,
    /// Settings by link.
    pub links: BTreeMap<LinkId, LinkSettings>,
    /// How long every included link may be silent before the element is in timeout. 0 to 24 h;
    /// what the connector does not say either is 30 s.
    pub timeout: Option<Duration>,
    /// Values given at start to parameters that are empty, before defaults.
    pub parameters: BTreeMap<ParameterId, String>,
    /// Whether a message equal to the one before counts as new. Default false, as the format says.
    pub delivers_duplicates: bool,
    /// Values taken out of JSON messages.
    pub extractions: Vec<Extraction>,
}

/// The settings of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSettings {
    /// Endpoints, the preferred one first: `ws://host:port/path`, `host:port` or `host`.
    pub endpoints: Vec<String>,
    /// The port of endpoints that name none.
    pub port: Option<u16>,
    /// The bus address; "bypassProxy" in any case bypasses proxies.
    pub bus_address: Option<String>,
    /// How long a reply may take.
    pub timeout: Option<Duration>,
    /// How often a command is sent again.
    pub retries: Option<u32>,
    /// Whether its silence puts the element in timeout. Default true.
    pub include_timeout: bool,
    /// Who makes the next link after a loss.
    pub reconnect: Reconnect,
    /// Pings a silent server, and how long it has to answer. Default off.
    pub keepalive: Option<(Duration, Duration)>,
    /// The proxy, a URL; `None` takes the environment's.
    pub proxy: Option<String>,
    /// How many redirects are followed. Default 0.
    pub redirects: usize,
    /// Extra roots, PEM.
    pub ca_file: Option<String>,
    /// A client certificate and its key, PEM.
    pub certificate: Option<(String, String)>,
    /// Whether the server's certificate is not verified. Default false.
    pub danger_skip_verification: bool,
}

/// Who makes the next link after a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reconnect {
    /// The runner, with growing pauses.
    #[default]
    Automatic,
    /// Nobody, until the endpoint is set again: as the format documents it.
    Manual,
}

/// Takes a value out of JSON messages: the value at a path goes to a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extraction {
    /// The parameter that holds the JSON text.
    pub from: ParameterId,
    /// The path, such as `$.tank.level`.
    pub path: String,
    /// Where the value goes.
    pub to: ParameterId,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            port: None,
            bus_address: None,
            timeout: None,
            retries: None,
            include_timeout: true,
            reconnect: Reconnect::Automatic,
            keepalive: None,
            proxy: None,
            redirects: 0,
            ca_file: None,
            certificate: None,
            danger_skip_verification: false,
        }
    }
}

#[cfg(test)]
mod tests;
