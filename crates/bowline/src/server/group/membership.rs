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
    pub(super) reserved: ReservedId,
}

impl Membership {
    /// Gives the handle by which others act on the connection.
    pub fn handle(&self) -> ConnectionHandle {
        ConnectionHandle::new(Arc::clone(self.reserved.entry()))
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.group.members.leave(self.reserved.id());
    }
}
