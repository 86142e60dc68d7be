//! A document in a session, and the visitor it is shown to.

use std::time::Duration;

use bowline::{
    Connector, DeflateNegotiation, OutboxLimits, WebSocket,
    server::{
        Attributes, ConnectionGroup, ConnectionHandle, GroupOptions, Registry, Session,
        SessionOptions, Sessions,
    },
};
use bowline_document::{Document, Policy, serve};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A document with something of every kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) words: Vec<String>,
    pub(crate) count: u32,
}

pub(crate) struct Server {
    pub(crate) session: Session<Document<Page>>,
    group: ConnectionGroup,
    listener: TcpListener,
}

impl Server {
    pub(crate) async fn start(page: Page, policy: Policy<Page>) -> Self {
        Self::start_with(page, policy, OutboxLimits::default()).await
    }

    pub(crate) async fn start_with(page: Page, policy: Policy<Page>, outbox: OutboxLimits) -> Self {
        let options = GroupOptions {
            outbox,
            ..GroupOptions::default()
        };
        let group = ConnectionGroup::new("pages", Registry::new(), options);
        serve(&group, |connection| {
            Some(connection.session::<Document<Page>>()?.data().clone())
        });
        let sessions = Sessions::new(SessionOptions::default());
        let document = Document::new(page, policy).unwrap();
        Self {
            session: sessions.create(document).unwrap(),
            group,
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub(crate) fn document(&self) -> &Document<Page> {
        self.session.data()
    }

    /// Connects a visitor of the session.
    pub(crate) async fn visit(&self) -> Visitor {
        let attributes = Attributes {
            session: Some(self.session.attach()),
            ..Attributes::default()
        };
        self.visit_with(attributes).await.0
    }

    pub(crate) async fn visit_with(&self, attributes: Attributes) -> (Visitor, ConnectionHandle) {
        let url = format!("ws://{}/", self.listener.local_addr().unwrap());
        let accept = async {
            let (stream, _) = self.listener.accept().await.unwrap();
            let websocket = bowline::accept(stream).await.unwrap();
            self.group.adopt(websocket, attributes).unwrap()
        };
        // Uncompressed, so that what is sent fills buffers as it is.
        let mut connector = Connector::default();
        connector.options.deflate = DeflateNegotiation::DISABLED;
        let (socket, handle) = tokio::join!(connector.connect(&url), accept);
        let socket = socket.unwrap();
        (Visitor { socket }, handle)
    }
}

/// The visitor's end, without any knowledge of patches.
pub(crate) struct Visitor {
    pub(crate) socket: WebSocket,
}

impl Visitor {
    pub(crate) async fn hear(&mut self) -> Value {
        let message = soon(self.socket.recv()).await.expect("a message");
        serde_json::from_str(message.as_text().unwrap()).unwrap()
    }

    pub(crate) async fn say(&mut self, what: &Value) {
        self.socket.send(what.to_string()).await.unwrap();
    }

    /// Proposes a patch to a version; gives the answer.
    pub(crate) async fn propose(&mut self, version: u64, patch: Value) -> Value {
        self.say(&json!({"version": version, "patch": patch, "id": 1}))
            .await;
        self.hear().await
    }
}

/// Fails a test that lost something instead of letting it hang.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    let output = tokio::time::timeout(Duration::from_secs(30), future).await;
    output.expect("nothing waits for ever")
}

pub(crate) fn page(words: &[&str]) -> Page {
    Page {
        title: "a page".to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        count: 0,
    }
}
