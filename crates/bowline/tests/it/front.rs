//! A listener whose handler tells each client what is known of it.

use std::{fmt::Debug, net::SocketAddr};

use bowline::{
    Error, Message, PeerCertificate, WebSocket,
    server::{
        Arrival, HttpArrival, Listener, ListenerConfig, Values, WebSocketArrival,
        admission::Admission,
        auth::Identity,
        rules::{RuleSet, Rules},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

/// A running listener; it stops with the value.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    pub(crate) admission: Admission,
    pub(crate) stop: oneshot::Sender<()>,
}

/// What tests put where nothing may show it.
pub(crate) const SECRET: &str = "bowline-on-a-bight";

/// A value that filters put with requests.
pub(crate) struct Tenant(pub(crate) &'static str);

impl Front {
    pub(crate) async fn start(rules: &str, change: impl FnOnce(&mut ListenerConfig)) -> Self {
        Self::start_with(Admission::default(), rules, change).await
    }

    pub(crate) async fn start_with(
        admission: Admission,
        rules: &str,
        change: impl FnOnce(&mut ListenerConfig),
    ) -> Self {
        let rules = Rules::new(RuleSet::parse(rules).unwrap());
        let mut config = ListenerConfig::new("front".parse().unwrap(), rules, admission.clone());
        change(&mut config);
        let listener = Listener::bind("127.0.0.1:0", config).await.unwrap();
        let address = listener.local_addr();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(listener.serve(handle, async move { drop(stopped.await) }));
        Self {
            address,
            admission,
            stop,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// Opens a connection for requests of one's own making.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a plain request with further header lines on a connection of its own; gives the
    /// status and the whole answer.
    pub(crate) async fn get(&self, path: &str, fields: &str) -> (u16, String) {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (status_of(&answer), answer)
    }
}

/// Reads one answer, which says its length; gives the head and the body.
pub(crate) async fn answer(stream: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let (_, rest) = head.split_once("Content-Length: ").unwrap();
    let len = rest.split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; len];
    stream.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// Gives the status of an answer.
pub(crate) fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Gives the status with which a WebSocket was refused.
pub(crate) fn refused_with(opened: Result<WebSocket, Error>) -> u16 {
    match opened {
        Err(Error::Refused(refused)) => refused.response.status(),
        other => panic!("not refused: {other:?}"),
    }
}

/// Gives what the listener told about the client when the WebSocket opened.
pub(crate) async fn told(ws: &mut WebSocket) -> String {
    match ws.recv().await {
        Some(Message::Text(text)) => text.as_str().to_owned(),
        other => panic!("no text: {other:?}"),
    }
}

async fn handle(arrival: Arrival) {
    assert_hidden(&arrival);
    // How clients end is looked at in their place.
    match arrival {
        Arrival::WebSocket(arrival) => drop(talk(arrival).await),
        Arrival::Http(arrival) => drop(page(arrival).await),
    }
}

async fn talk(arrival: WebSocketArrival) -> Result<(), Error> {
    let shown = arrival.offer().peer_certificate();
    assert_eq!(shown.as_ref(), arrival.certificate());
    let known = known(arrival.identity(), arrival.certificate(), arrival.values());
    if arrival.routed().name.as_str() == "refuse" {
        return arrival.refuse(409, "not now\n").await;
    }
    let first = arrival.offer().subprotocols().next().map(str::to_owned);
    let arrival = arrival.map_offer(|offer| match &first {
        Some(first) => offer.with_subprotocol(first),
        None => offer,
    });
    let (mut ws, _place) = arrival.accept().await?;
    ws.send(known).await?;
    while let Some(message) = ws.recv().await {
        ws.send(message).await?;
    }
    Ok(())
}

async fn page(arrival: HttpArrival) -> Result<(), Error> {
    let known = known(arrival.identity(), arrival.certificate(), arrival.values());
    if arrival.routed().name.as_str() == "unread" {
        return arrival.answer(200, &[], known.as_bytes()).await;
    }
    let exchange = arrival.read_body().await?;
    assert_hidden(&exchange);
    let text = format!("{known}, {} bytes", exchange.body().len());
    exchange.answer(200, &[], text.as_bytes()).await
}

fn assert_hidden(what: &impl Debug) {
    let shown = format!("{what:?}");
    assert!(!shown.contains(SECRET), "{shown}");
}

fn known(
    identity: Option<&Identity>,
    certificate: Option<&PeerCertificate>,
    values: &Values,
) -> String {
    let user = identity.map_or("nobody", |identity| &*identity.user);
    let certificate = certificate.and_then(PeerCertificate::common_name);
    let certificate = certificate.as_deref().unwrap_or("none");
    let tenant = values.get::<Tenant>().map_or("none", |tenant| tenant.0);
    format!("user {user}, certificate {certificate}, tenant {tenant}")
}
