//! A server with one group on a loopback port.

use bowline::{
    Connector, DeflateNegotiation, Ending, WebSocket,
    server::{
        Attributes, ConnectionGroup, ConnectionHandle, ConnectionId, GroupOptions, GroupTable,
        GroupTableLimits, Registry,
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

pub(crate) struct Server {
    pub(crate) registry: Registry,
    pub(crate) group: ConnectionGroup,
    pub(crate) listener: TcpListener,
    pub(crate) endings: mpsc::UnboundedReceiver<(ConnectionId, Ending)>,
}

impl Server {
    pub(crate) async fn start(options: GroupOptions) -> Self {
        let registry = Registry::new();
        let groups = GroupTable::new(registry.clone(), GroupTableLimits::default());
        let group = groups.create("chat", options).unwrap();
        let (ended, endings) = mpsc::unbounded_channel();
        group.on_disconnect(move |connection, ending| {
            ended.send((connection.id(), ending.clone())).unwrap();
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            registry,
            group,
            listener,
            endings,
        }
    }

    pub(crate) async fn join(&self) -> (WebSocket, ConnectionHandle) {
        self.join_with(Attributes::default()).await
    }

    pub(crate) async fn join_with(&self, attributes: Attributes) -> (WebSocket, ConnectionHandle) {
        let url = format!("ws://{}/", self.listener.local_addr().unwrap());
        let accept = async {
            let (stream, peer): (TcpStream, _) = self.listener.accept().await.unwrap();
            let websocket = bowline::accept(stream).await.unwrap();
            let attributes = Attributes {
                peer: Some(peer),
                ..attributes
            };
            self.group.adopt(websocket, attributes).unwrap()
        };
        // Uncompressed, so that what is sent fills buffers as it is.
        let mut connector = Connector::default();
        connector.options.deflate = DeflateNegotiation::DISABLED;
        let (client, handle) = tokio::join!(connector.connect(&url), accept);
        (client.unwrap(), handle)
    }
}
