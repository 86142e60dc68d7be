//! One connection between a peer and our end, in either role.

use std::{collections::VecDeque, pin::pin, sync::Arc};

use bowline::{
    Acceptor, Config, Connector, DeflateNegotiation, Ending, Endpoint, Error, Event, Keepalive,
    Limits, Message, Options, Request, Stream, WebSocket, proto::Role,
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::{
    counted::Counted,
    identity::Identity,
    peer::{Ability, Peer, deadline},
};

/// What to agree on before messages flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session<'a> {
    /// The role of our end.
    pub(super) role: Role,
    pub(super) transport: Transport,
    pub(super) deflate: &'a Deflate,
    /// The bounds of our end.
    pub(super) limits: Limits,
    /// The pings of our end.
    pub(super) keepalive: Option<Keepalive>,
    /// The longest message the peer takes, in bytes; 0 for its default.
    pub(super) peer_size_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Plain,
    Tls,
}

/// What both ends wish of compression and what must come out.
#[derive(Clone, Debug)]
pub(super) struct Deflate {
    pub(super) ours: DeflateNegotiation,
    /// In the words of the peer: null for none, "default", or its own parameters.
    pub(super) peer: Value,
    /// The `Sec-WebSocket-Extensions` of the server's answer.
    pub(super) agreed: &'static str,
}

/// An open connection.
pub(super) struct Pair<'p> {
    pub(super) peer: &'p mut Peer,
    pub(super) ours: WebSocket<Counted>,
    /// What our end received and no check has asked for yet.
    events: VecDeque<Event<'static>>,
    is_over: bool,
}

impl<'p> Pair<'p> {
    /// Opens a connection, and checks what the opening handshake carried.
    pub(super) async fn open(peer: &'p mut Peer, session: &Session<'_>) -> Self {
        peer.label = format!("{session:?}");
        let ours = match session.role {
            Role::Client => connect(peer, session).await,
            Role::Server => accept(peer, session).await,
        };
        assert_eq!(ours.is_compressed(), !session.deflate.agreed.is_empty());
        Self {
            peer,
            ours,
            events: VecDeque::new(),
            is_over: false,
        }
    }

    /// Gives the peer a command and receives until it is done.
    pub(super) async fn ask(&mut self, command: Value) -> Value {
        let mut answer = pin!(self.peer.ask(command));
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                event = self.ours.recv_event(), if !self.is_over => match event {
                    Some(event) => self.events.push_back(event),
                    None => self.is_over = true,
                },
            }
        }
    }

    /// Gives what the next event that `take` takes; those before it are dropped.
    pub(super) async fn event<T>(
        &mut self,
        what: &str,
        mut take: impl FnMut(Event<'static>) -> Option<T>,
    ) -> T {
        loop {
            let event = match self.events.pop_front() {
                Some(event) => event,
                None => deadline(what, self.ours.recv_event())
                    .await
                    .unwrap_or_else(|| panic!("no {what} before the end")),
            };
            if let Some(taken) = take(event) {
                return taken;
            }
        }
    }

    pub(super) async fn message(&mut self) -> Message {
        let take = |event| {
            let Event::Message(message) = event else {
                return None;
            };
            Some(message)
        };
        self.event("message", take).await
    }

    pub(super) async fn ping_payload(&mut self) -> Vec<u8> {
        let take = |event| {
            let Event::Ping(payload) = event else {
                return None;
            };
            Some(payload.to_vec())
        };
        self.event("ping", take).await
    }

    pub(super) async fn ending(&mut self) -> Ending {
        let take = |event| {
            let Event::Closed(ending) = event else {
                return None;
            };
            Some(ending)
        };
        self.event("end", take).await
    }

    /// Gives how many bytes our end has read and written.
    pub(super) fn counts(&self) -> (usize, usize) {
        self.ours.with_stream(Counted::counts).unwrap()
    }
}

/// Lets the peer be refused by our server, or our client by the peer.
pub(super) async fn refuse(peer: &mut Peer, session: &Session<'_>) {
    peer.label = format!("refused, {session:?}");
    let refused = json!({ "status": 403, "body": "no entry\n" });
    if session.role == Role::Client {
        let listen = peer_command("listen", session, json!({ "refusal": refused }));
        let url = url_of(session, peer.ask(listen).await["port"].as_u64());
        let error = deadline("refusal", connector(session).connect(&url)).await;
        let Err(Error::Refused(refused)) = error else {
            panic!("not refused: {error:?}");
        };
        assert_eq!(refused.response.status(), 403);
        assert_eq!(refused.body, "no entry\n");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refuse = async {
        let offer = read_offer(&listener, session).await;
        offer.refuse(403, "no entry\n").await.unwrap();
    };
    let seen = ask_to_connect(peer, &listener, session);
    let (seen, ()) = tokio::join!(seen, refuse);
    if peer.can(Ability::SeeRefusal) {
        assert_eq!(seen, refused);
    } else {
        assert_eq!(seen, json!({ "failed": true }));
    }
}

/// Our end is the client.
async fn connect(peer: &mut Peer, session: &Session<'_>) -> WebSocket<Counted> {
    let greeting = json!({
        "subprotocol": "chat.v2",
        "headers": { "X-Interop": "from the server" },
    });
    let listen = peer_command("listen", session, greeting);
    let url = url_of(session, peer.ask(listen).await["port"].as_u64());
    let connect = async {
        let endpoint = Endpoint::parse(&url).unwrap();
        let stream = dial(&url, session).await;
        connector(session)
            .with_header("X-Interop", "from the client")
            .connect_on(&endpoint, Counted::new(stream))
            .await
            .unwrap()
    };
    let connect = deadline("opening", connect);
    let (ours, facts) = tokio::join!(connect, peer.ask(json!({ "do": "accept" })));
    assert_eq!(facts["request_header"], "from the client");
    assert_eq!(facts["subprotocol"], "chat.v2");
    assert_eq!(ours.subprotocol(), Some("chat.v2"));
    let headers = ours.response().unwrap().headers();
    assert_eq!(headers.text("x-interop"), Some("from the server"));
    let agreed = headers.text("sec-websocket-extensions");
    assert_eq!(agreed.unwrap_or_default(), session.deflate.agreed);
    ours
}

/// Our end is the server.
async fn accept(peer: &mut Peer, session: &Session<'_>) -> WebSocket<Counted> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (origin, sends_header) = (peer.origin.clone(), peer.can(Ability::SendHeader));
    let accept = async {
        let offer = read_offer(&listener, session).await;
        let subprotocols: Vec<_> = offer.subprotocols().collect();
        assert_eq!(subprotocols, ["chat.v1", "chat.v2"]);
        let header = offer.request().headers().text("x-interop");
        assert_eq!(header, sends_header.then_some("from the client"));
        if let Some(origin) = origin {
            assert_eq!(offer.origin(), Some(origin.as_str()));
        }
        let accepted = offer
            .with_subprotocol("chat.v2")
            .with_header("X-Interop", "from the server")
            .accept();
        accepted.await.unwrap()
    };
    let accept = deadline("opening", accept);
    let seen = ask_to_connect(peer, &listener, session);
    let (facts, ours) = tokio::join!(seen, accept);
    assert_eq!(facts["subprotocol"], "chat.v2");
    assert_eq!(facts["extensions"], session.deflate.agreed);
    if peer.can(Ability::SeeHeader) {
        assert_eq!(facts["response_header"], "from the server");
    }
    ours
}

async fn ask_to_connect(peer: &mut Peer, listener: &TcpListener, session: &Session<'_>) -> Value {
    let port = u64::from(listener.local_addr().unwrap().port());
    let mut greeting = json!({
        "url": url_of(session, Some(port)),
        "ca": Identity::shared().authority(),
        "subprotocols": ["chat.v1", "chat.v2"],
    });
    if peer.can(Ability::SendHeader) {
        greeting["headers"] = json!({ "X-Interop": "from the client" });
    }
    peer.ask(peer_command("connect", session, greeting)).await
}

async fn read_offer(listener: &TcpListener, session: &Session<'_>) -> bowline::Offer<Counted> {
    let (tcp, _) = listener.accept().await.unwrap();
    let stream = match session.transport {
        Transport::Plain => Stream::Tcp(tcp),
        Transport::Tls => Identity::shared().server().accept(tcp).await.unwrap(),
    };
    let acceptor = Acceptor {
        options: options(session),
        ..Acceptor::default()
    };
    match acceptor.read_request(Counted::new(stream)).await.unwrap() {
        Request::WebSocket(offer) => offer,
        Request::Http(head, _) => panic!("not a handshake: {head:?}"),
    }
}

async fn dial(url: &str, session: &Session<'_>) -> Stream {
    let authority = url.split('/').nth(2).unwrap();
    let tcp = TcpStream::connect(authority).await.unwrap();
    match session.transport {
        Transport::Plain => Stream::Tcp(tcp),
        Transport::Tls => {
            let tls = Identity::shared().client();
            tls.connect("127.0.0.1", tcp).await.unwrap()
        }
    }
}

fn connector(session: &Session<'_>) -> Connector {
    Connector {
        options: options(session),
        tls: Some(Identity::shared().client()),
        ..Connector::default()
    }
    .with_subprotocol("chat.v1")
    .with_subprotocol("chat.v2")
}

fn options(session: &Session<'_>) -> Options {
    Options {
        config: Arc::new(Config {
            limits: session.limits,
            keepalive: session.keepalive,
            ..Config::default()
        }),
        deflate: session.deflate.ours,
        ..Options::default()
    }
}

fn peer_command(verb: &str, session: &Session<'_>, mut command: Value) -> Value {
    command["do"] = verb.into();
    command["deflate"] = session.deflate.peer.clone();
    if verb == "listen" {
        command["tls"] = match session.transport {
            Transport::Plain => Value::Null,
            Transport::Tls => json!({
                "chain": Identity::shared().certificate(),
                "key": Identity::shared().key(),
            }),
        };
    }
    if session.peer_size_max > 0 {
        command["size_max"] = json!(session.peer_size_max);
    }
    command
}

fn url_of(session: &Session<'_>, port: Option<u64>) -> String {
    let scheme = match session.transport {
        Transport::Plain => "ws",
        Transport::Tls => "wss",
    };
    format!("{scheme}://127.0.0.1:{}/chat?room=1", port.unwrap())
}
