//! tokio-tungstenite as the peer, in either role, in this process.

use std::{collections::VecDeque, future::pending};

use bowline::Stream;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async, client_async,
    tungstenite::{
        Bytes, Error, Message,
        client::IntoClientRequest as _,
        handshake::server::{ErrorResponse, Request, Response},
        http::HeaderMap,
        protocol::{
            CloseFrame,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use super::{identity::Identity, message::from_hex};

/// Answers commands until there are no more.
pub(super) async fn answer_commands(
    mut commands: UnboundedReceiver<Value>,
    answers: UnboundedSender<Value>,
) {
    let mut peer = Tungstenite::default();
    loop {
        let command = tokio::select! {
            biased;
            command = commands.recv() => command,
            () = peer.read_ahead() => continue,
        };
        let Some(command) = command else { break };
        if answers.send(peer.answer(&command).await).is_err() {
            break;
        }
    }
}

#[derive(Default)]
struct Tungstenite {
    arrivals: Option<UnboundedReceiver<Opened>>,
    socket: Option<Socket>,
    /// What was read and not asked for yet.
    messages: VecDeque<Message>,
    is_over: bool,
}

type Socket = WebSocketStream<Stream>;
/// A socket, and what its opening handshake said.
type Opened = (Socket, Value);

impl Tungstenite {
    async fn answer(&mut self, command: &Value) -> Value {
        match command["do"].as_str().unwrap() {
            "connect" => match connect(command).await {
                Ok(opened) => self.adopt(opened),
                Err(refusal) => refusal,
            },
            "listen" => {
                let (sender, arrivals) = unbounded_channel();
                self.arrivals = Some(arrivals);
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let port = listener.local_addr().unwrap().port();
                tokio::spawn(accept(listener, command.clone(), sender));
                json!({ "port": port })
            }
            "accept" => {
                let opened = self.arrivals.as_mut().unwrap().recv().await;
                self.adopt(opened.unwrap())
            }
            "receive" => self.receive(command).await,
            "send" => self.send(command).await,
            "ping" => self.ping(command).await,
            "raw" => {
                let bytes = from_hex(command["bytes_hex"].as_str().unwrap());
                let stream = self.socket().get_mut();
                stream.write_all(&bytes).await.unwrap();
                stream.flush().await.unwrap();
                self.closed().await
            }
            "close" => {
                let frame = command["code"].as_u64().map(|code| CloseFrame {
                    code: u16::try_from(code).unwrap().into(),
                    reason: command["reason"].as_str().unwrap().into(),
                });
                self.socket().close(frame).await.unwrap();
                self.closed().await
            }
            "closed" => self.closed().await,
            other => panic!("no command {other}"),
        }
    }

    fn adopt(&mut self, (socket, facts): Opened) -> Value {
        self.socket = Some(socket);
        self.messages.clear();
        self.is_over = false;
        facts
    }

    fn socket(&mut self) -> &mut Socket {
        self.socket.as_mut().unwrap()
    }

    /// Reads while there is no command: the library answers pings and a close only then.
    async fn read_ahead(&mut self) {
        match &mut self.socket {
            Some(socket) if !self.is_over => match socket.next().await {
                Some(Ok(message)) => self.messages.push_back(message),
                Some(Err(_)) | None => self.is_over = true,
            },
            _ => pending().await,
        }
    }

    /// Gives the next message; `None` when the connection is over.
    async fn next(&mut self) -> Option<Message> {
        while self.messages.is_empty() && !self.is_over {
            self.read_ahead().await;
        }
        self.messages.pop_front()
    }

    async fn receive(&mut self, command: &Value) -> Value {
        loop {
            let message = self.next().await.unwrap();
            if message.is_text() || message.is_binary() {
                let kind = if message.is_text() { "text" } else { "binary" };
                let data = message.into_data();
                let equal = data == payload_of(command);
                return json!({ "kind": kind, "len": data.len(), "equal": equal });
            }
        }
    }

    async fn send(&mut self, command: &Value) -> Value {
        let payload = payload_of(command);
        let is_text = command["kind"] == "text";
        let cuts = command["cuts"].as_array().map_or(&[][..], Vec::as_slice);
        if cuts.is_empty() {
            let message = if is_text {
                Message::text(String::from_utf8(payload.into()).unwrap())
            } else {
                Message::Binary(payload)
            };
            self.socket().send(message).await.unwrap();
            return json!({});
        }
        let mut start = 0;
        let ends = cuts
            .iter()
            .map(|cut| usize::try_from(cut.as_u64().unwrap()).unwrap())
            .chain([payload.len()]);
        for (index, end) in ends.enumerate() {
            let data = match (index, is_text) {
                (0, true) => Data::Text,
                (0, false) => Data::Binary,
                _ => Data::Continue,
            };
            let is_last = index == cuts.len();
            let frame = Frame::message(payload.slice(start..end), OpCode::Data(data), is_last);
            self.socket().send(Message::Frame(frame)).await.unwrap();
            if index == 0 {
                let ping = Message::Ping(Bytes::from_static(b"between"));
                self.socket().send(ping).await.unwrap();
            }
            start = end;
        }
        json!({})
    }

    async fn ping(&mut self, command: &Value) -> Value {
        let payload = from_hex(command["payload"].as_str().unwrap());
        let ping = Message::Ping(payload.clone().into());
        self.socket().send(ping).await.unwrap();
        loop {
            let message = self.next().await.unwrap();
            if let Message::Pong(returned) = message {
                let is_same = returned == payload;
                return json!({ "payload": is_same.then_some(&command["payload"]) });
            }
        }
    }

    /// Reads to the end, tells the code and reason that came, and lets go of the stream.
    async fn closed(&mut self) -> Value {
        let mut seen = json!({ "code": 1006, "reason": "" });
        while let Some(message) = self.next().await {
            match message {
                Message::Close(Some(frame)) => {
                    let code = u16::from(frame.code);
                    seen = json!({ "code": code, "reason": frame.reason.as_str() });
                }
                Message::Close(None) => seen = json!({ "code": 1005, "reason": "" }),
                Message::Text(_)
                | Message::Binary(_)
                | Message::Ping(_)
                | Message::Pong(_)
                | Message::Frame(_) => {}
            }
        }
        self.socket = None;
        seen
    }
}

/// Connects; gives what a refusal said otherwise.
async fn connect(command: &Value) -> Result<Opened, Value> {
    let url = command["url"].as_str().unwrap();
    let mut request = url.into_client_request().unwrap();
    let authority = request.uri().authority().unwrap().as_str().to_owned();
    let is_secure = request.uri().scheme_str() == Some("wss");
    add_headers(request.headers_mut(), &command["headers"]);
    let subprotocols = command["subprotocols"].as_array().unwrap().iter();
    let subprotocols: Vec<_> = subprotocols.filter_map(Value::as_str).collect();
    let offer = subprotocols.join(", ").parse().unwrap();
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", offer);
    let tcp = TcpStream::connect(authority).await.unwrap();
    let stream = if is_secure {
        let tls = Identity::shared().client();
        tls.connect("127.0.0.1", tcp).await.unwrap()
    } else {
        Stream::Tcp(tcp)
    };
    match client_async(request, stream).await {
        Ok((socket, response)) => {
            let header = |name| header(response.headers(), name);
            let facts = json!({
                "subprotocol": header("sec-websocket-protocol"),
                "extensions": header("sec-websocket-extensions").unwrap_or_default(),
                "response_header": header("x-interop"),
            });
            Ok((socket, facts))
        }
        Err(Error::Http(response)) => {
            let status = response.status().as_u16();
            let body = response.into_body().unwrap_or_default();
            Err(json!({ "status": status, "body": String::from_utf8(body).unwrap() }))
        }
        Err(error) => panic!("{error}"),
    }
}

/// Accepts connections one after the other.
async fn accept(listener: TcpListener, command: Value, arrivals: UnboundedSender<Opened>) {
    while let Ok((tcp, _)) = listener.accept().await {
        let stream = if command["tls"].is_null() {
            Stream::Tcp(tcp)
        } else {
            Identity::shared().server().accept(tcp).await.unwrap()
        };
        let mut facts = Value::Null;
        #[expect(
            clippy::result_large_err,
            reason = "the library's interface asks for it"
        )]
        let answer = |request: &Request, mut response: Response| {
            if let Some(body) = command["refusal"]["body"].as_str() {
                let mut refusal = ErrorResponse::new(Some(body.to_owned()));
                *refusal.status_mut() = 403.try_into().unwrap();
                return Err(refusal);
            }
            let headers = response.headers_mut();
            add_headers(headers, &command["headers"]);
            if let Some(subprotocol) = command["subprotocol"].as_str() {
                headers.insert("Sec-WebSocket-Protocol", subprotocol.parse().unwrap());
            }
            facts = json!({
                "subprotocol": command["subprotocol"],
                "request_header": header(request.headers(), "x-interop"),
            });
            Ok(response)
        };
        if let Ok(socket) = accept_hdr_async(stream, answer).await
            && arrivals.send((socket, facts)).is_err()
        {
            break;
        }
    }
}

fn add_headers(headers: &mut HeaderMap, added: &Value) {
    if let Some(value) = added["X-Interop"].as_str() {
        headers.insert("X-Interop", value.parse().unwrap());
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn payload_of(command: &Value) -> Bytes {
    let unit = from_hex(command["unit"].as_str().unwrap());
    let count = usize::try_from(command["count"].as_u64().unwrap()).unwrap();
    unit.repeat(count).into()
}
