//! Looking at what passes over links.

use std::sync::{Arc, Mutex};

use bowline::{CloseCode, Connector, Endpoint, Stream, Tap, Wiretap};

use crate::{
    dial_server::{Answer, Identity, Server},
    ends::soon,
};

/// What passed, in both directions.
#[derive(Clone, Debug, Default)]
struct Ledger(Arc<Mutex<Vec<Link>>>);

#[derive(Clone, Debug, Default)]
struct Link {
    endpoint: String,
    is_tls: bool,
    sent: Vec<u8>,
    received: Vec<u8>,
}

#[derive(Debug)]
struct Row(Ledger, usize);

impl Wiretap for Ledger {
    fn begin(&self, endpoint: &Endpoint, stream: &Stream) -> Box<dyn Tap> {
        let mut links = self.0.lock().unwrap();
        links.push(Link {
            endpoint: format!("{endpoint:?}"),
            is_tls: stream.is_tls(),
            ..Link::default()
        });
        Box::new(Row(self.clone(), links.len() - 1))
    }
}

impl Tap for Row {
    fn sent(&mut self, bytes: &[u8]) {
        self.0.0.lock().unwrap()[self.1].sent.extend(bytes);
    }

    fn received(&mut self, bytes: &[u8]) {
        self.0.0.lock().unwrap()[self.1].received.extend(bytes);
    }
}

#[tokio::test]
async fn every_byte_is_seen_without_the_tls_around_it() {
    let identity = Identity::for_names(&["localhost"]);
    let plain = Server::start(|_| Answer::Accept).await;
    let secure = Server::start_with(Some(identity.server()), |_| Answer::Accept).await;
    let port = secure.address.port();
    for url in [plain.url("/a"), format!("wss://localhost:{port}/a")] {
        let ledger = Ledger::default();
        let connector = Connector {
            wiretap: Some(Arc::new(ledger.clone())),
            ..Connector::default().with_tls(identity.client())
        };
        let mut ws = soon(connector.connect(&url)).await.unwrap();
        let is_tls = url.starts_with("wss");
        assert_eq!(ws.with_stream(Stream::is_tls), Some(is_tls));
        // Two slices leave in one write.
        ws.feed(vec![1; 5000]).await.unwrap();
        ws.send(vec![2; 5000]).await.unwrap();
        drop(soon(ws.close(CloseCode::NORMAL, "")).await);
        let links = ledger.0.lock().unwrap().clone();
        assert_eq!(links.len(), 1);
        assert_eq!((&*links[0].endpoint, links[0].is_tls), (&*url, is_tls));
        assert!(links[0].sent.starts_with(b"GET /a HTTP/1.1\r\n"));
        assert!(links[0].received.starts_with(b"HTTP/1.1 101"));
        let head = links[0].sent.windows(4).position(|end| end == b"\r\n\r\n");
        let sent = links[0].sent.len() - head.unwrap();
        assert!(sent > 2 * 5000, "{sent}");
    }
}

#[tokio::test]
async fn each_redirect_is_a_link_of_its_own() {
    let target = Server::start(|_| Answer::Accept).await;
    let location = target.url("/there");
    let first = Server::start(move |_| Answer::redirect(&location)).await;
    let ledger = Ledger::default();
    let connector = Connector {
        wiretap: Some(Arc::new(ledger.clone())),
        ..Connector::default().with_redirects(1)
    };
    drop(soon(connector.connect(&first.url("/here"))).await.unwrap());
    let links = ledger.0.lock().unwrap().clone();
    let endpoints: Vec<_> = links.iter().map(|link| link.endpoint.clone()).collect();
    assert_eq!(endpoints, [first.url("/here"), target.url("/there")]);
    assert!(links[0].received.starts_with(b"HTTP/1.1 302"));
}
