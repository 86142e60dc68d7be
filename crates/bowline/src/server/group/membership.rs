//! A connection in a group that its own task receives on.

use std::sync::Arc;

use super::Inner;
use crate::server::{handle::ConnectionHandle, registry::ReservedId};

/// Keeps a connection in a group; dropping it leaves the group and frees its number.
///
/// Made by [`ConnectionGroup::join`](super::ConnectionGroup::join).
#[derive(Debug)]
pub struct Membership {
    group: Arc<Inner>,
    connection: ConnectionHandle,
    /// Given up last: when the registry is empty nothing is left of its connections.
    _reserved: ReservedId,
}

impl Membership {
    pub(super) fn new(
        group: Arc<Inner>,
        connection: ConnectionHandle,
        reserved: ReservedId,
    ) -> Self {
        group.members.join(connection.clone());
        connection.attach_session();
        Self {
            group,
            connection,
            _reserved: reserved,
        }
    }

    /// Gives the handle by which others act on the connection.
    pub fn handle(&self) -> ConnectionHandle {
        self.connection.clone()
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.group.members.leave(self.connection.id());
        self.connection.detach_session();
    }
}
