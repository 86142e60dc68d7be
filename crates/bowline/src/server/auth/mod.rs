//! Proves who the user of a request is.
//!
#![doc = include_str!("../../../docs/guide/users.md")]

mod authenticator;
mod basic;
mod passwords;
mod secret;
mod ticket;
mod token;

use std::sync::Arc;

pub use authenticator::{Authenticator, Credentials, UserStore};
pub use basic::{BasicCredentials, basic_challenge};
pub use passwords::PasswordList;
pub use secret::Secret;
pub use ticket::{Ticket, TicketOptions, Tickets, TicketsFull};
pub use token::{TOKEN_PREFIX, token_subprotocol};

pub(super) use token::is_token_subprotocol;

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's name.
    pub user: Arc<str>,
    /// The groups the user is in.
    pub groups: Vec<String>,
}

impl Identity {
    /// Names a user who is in no group.
    pub fn new(user: impl Into<Arc<str>>) -> Self {
        Self {
            user: user.into(),
            groups: Vec::new(),
        }
    }

    /// Puts the user into a group, which rules can ask for.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }
}
