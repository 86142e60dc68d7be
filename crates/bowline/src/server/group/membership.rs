//! A connection in a group that its own task receives on.

use std::sync::Arc;

use super::Inner;
use crate::server::{handle::ConnectionHandle, registry::ReservedId};

/// Keeps a connection in a group; dropping it leaves the group and frees its number.
///
/// Made by [`ConnectionGroup::join`](super::ConnectionGroup::join).
#[derive(Debug)]
pub struct Membership {
    pub(super) group: Arc<Inner>,
    pub(super) handle: ConnectionHandle,
    /// Its drop frees the number; last, so that nothing is left of a registry's connections when
    /// it is empty.
    pub(super) _reserved: ReservedId,
}

impl Membership {
    /// Gives the handle by which others act on the connection.
    pub const fn handle(&self) -> &ConnectionHandle {
        &self.handle
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.group.members.leave(self.handle.id());
        self.handle.detach_session();
    }
}
