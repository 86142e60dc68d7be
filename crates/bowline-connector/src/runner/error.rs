//! What can go wrong with elements.

use bowline::{ProxyError, TlsError};
use thiserror::Error;

use crate::{
    hooks::ExtractError,
    machine::SetError,
    plan::{LinkId, ParameterId},
    store::StoreError,
};

/// Says why an element cannot be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The saved values.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An extraction.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The settings or a hook name a parameter that the connector does not have.
    #[error("the settings or a hook name {0}, which the connector does not have")]
    NoSuchParameter(ParameterId),
    /// The settings name a link that the connector does not have.
    #[error("the settings name {0}, which the connector does not have")]
    NoSuchLink(LinkId),
    /// The settings of a link cannot be used.
    #[error("{0}: {1}")]
    Link(LinkId, LinkSettingsError),
}

/// Says why the settings of a link cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkSettingsError {
    /// Its certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// Says why an element did not do what it was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ElementError {
    /// It does not run any more.
    #[error("the element has stopped")]
    Stopped,
    /// The value was not taken.
    #[error(transparent)]
    Set(#[from] SetError),
    /// There is no such parameter.
    #[error("there is no {0}")]
    NoSuchParameter(ParameterId),
    /// There is no such link.
    #[error("there is no {0}")]
    NoSuchLink(LinkId),
    /// It was done, but what is to be saved could not be written; it is tried again with the next.
    #[error("it is set, but not saved: {0}")]
    NotSaved(String),
    /// The parameter is no button.
    #[error("{0} is no button: set a value")]
    NotAButton(ParameterId),
}
