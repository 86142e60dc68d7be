//! Connections by number, group and session, acted on from many threads at once.

mod broadcast;
mod handlers;
mod ids;
mod memory;
mod rounds;
mod sending;
mod sessions;

use bowline::{
    Config, Ending, WebSocket,
    server::{
        Attributes, ConnectionGroup, ConnectionHandle, ConnectionId, GroupOptions, GroupTable,
        GroupTableLimits, Registry,
    },
};
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
};

use crate::ends::{client, server, soon};

/// A registry with one group, whose connections run over streams in memory.
pub(crate) struct Hall {
    pub(crate) registry: Registry,
    pub(crate) groups: GroupTable,
    pub(crate) group: ConnectionGroup,
    endings: mpsc::UnboundedReceiver<(ConnectionId, Ending)>,
}

pub(crate) type Client = WebSocket<DuplexStream>;

impl Hall {
    pub(crate) fn new(options: GroupOptions) -> Self {
        let registry = Registry::new();
        let groups = GroupTable::new(registry.clone(), GroupTableLimits::default());
        let group = groups.create("hall", options).unwrap();
        let (ended, endings) = mpsc::unbounded_channel();
        group.on_disconnect(move |connection, ending| {
            // A test that is over does not listen any more.
            drop(ended.send((connection.id(), ending.clone())));
        });
        Self {
            registry,
            groups,
            group,
            endings,
        }
    }

    /// Joins with a stream that holds `len` bytes in each direction.
    pub(crate) fn join(&self, len: usize) -> (Client, ConnectionHandle) {
        join(&self.group, len, Attributes::default())
    }

    /// Waits for the next end of a connection.
    pub(crate) async fn ended(&mut self) -> (ConnectionId, Ending) {
        soon(self.endings.recv()).await.unwrap()
    }

    /// Waits until every connection is over; gives the ends that nobody waited for.
    pub(crate) async fn empty(&mut self) -> Vec<(ConnectionId, Ending)> {
        soon(self.registry.until_empty()).await;
        assert_eq!((self.group.len(), self.registry.len()), (0, 0));
        let mut endings = Vec::new();
        while let Ok(ending) = self.endings.try_recv() {
            endings.push(ending);
        }
        endings
    }
}

/// Joins a group with a stream that holds `len` bytes in each direction.
pub(crate) fn join(
    group: &ConnectionGroup,
    len: usize,
    attributes: Attributes,
) -> (Client, ConnectionHandle) {
    let (near, far) = duplex(len);
    let handle = group
        .adopt(server(near, Config::default()), attributes)
        .unwrap();
    (client(far, Config::default()), handle)
}
