//! The functions a group calls.

use std::{future::Future, pin::Pin, sync::Arc};

use bowline_proto::{Ending, ProtocolViolation};

use super::HandlerKind;
use crate::{Message as OwnedMessage, server::handle::ConnectionHandle};

pub(super) type Open = Arc<dyn Fn(&ConnectionHandle) + Send + Sync>;
pub(super) type Text = Arc<dyn Fn(&ConnectionHandle, &str) + Send + Sync>;
pub(super) type Binary = Arc<dyn Fn(&ConnectionHandle, &[u8]) + Send + Sync>;
pub(super) type Message = Arc<dyn Fn(ConnectionHandle, OwnedMessage) -> Work + Send + Sync>;
pub(super) type Error = Arc<dyn Fn(&ConnectionHandle, ProtocolViolation) + Send + Sync>;
pub(super) type Disconnect = Arc<dyn Fn(&ConnectionHandle, &Ending) + Send + Sync>;

/// What a handler does with a message that waited.
pub(super) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One set of handlers; replacing one makes a new set.
#[derive(Clone, Default)]
pub(super) struct Handlers {
    pub(super) open: Option<Open>,
    pub(super) text: Option<Text>,
    pub(super) binary: Option<Binary>,
    pub(super) message: Option<Message>,
    pub(super) error: Option<Error>,
    pub(super) disconnect: Option<Disconnect>,
}

impl Handlers {
    pub(super) fn remove(&mut self, kind: HandlerKind) {
        match kind {
            HandlerKind::Open => self.open = None,
            HandlerKind::Text => self.text = None,
            HandlerKind::Binary => self.binary = None,
            HandlerKind::Message => self.message = None,
            HandlerKind::Error => self.error = None,
            HandlerKind::Disconnect => self.disconnect = None,
        }
    }
}
