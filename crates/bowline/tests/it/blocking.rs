//! Plain threads in straight-line code, over TCP.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::mpsc,
    thread,
    time::Duration,
};

use bowline::{
    Acceptor, Cause, CloseCode, Connector, EndedBy, Error, Fin, Message, MessageKind, Misuse,
    blocking::{self, Listener, RecvError, Request, WebSocket},
};
use bowline_testkit::Frame;

fn listen() -> (Listener, String) {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    (listener, url)
}

/// Makes both ends of a connection: the client's and the server's.
fn pair() -> (WebSocket, WebSocket) {
    let (listener, url) = listen();
    let client = thread::spawn(move || blocking::connect(&url).unwrap());
    let server = listener.accept().unwrap();
    (client.join().unwrap(), server)
}

/// A client that speaks frame by frame, after its opening handshake.
struct RawClient(TcpStream);

impl RawClient {
    fn pair() -> (Self, WebSocket) {
        let (listener, _) = listen();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.write_all(UPGRADE).unwrap();
        let server = listener.accept().unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.extend_from_slice(&byte);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "));
        (Self(stream), server)
    }

    fn send(&mut self, frame: Frame) {
        let bytes = frame.masked([1, 2, 3, 4]).encode();
        self.0.write_all(&bytes).unwrap();
    }

    /// Reads until so many whole frames are there.
    fn frames(&mut self, count: usize) -> Vec<Frame> {
        let mut stream = Vec::new();
        loop {
            let (frames, _) = Frame::parse_whole(&stream);
            if frames.len() >= count {
                return frames;
            }
            let mut chunk = [0; 512];
            let read = self.0.read(&mut chunk).unwrap();
            assert!(read > 0, "the stream ended after {frames:?}");
            stream.extend_from_slice(&chunk[..read]);
        }
    }
}

const UPGRADE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn threads_talk_in_straight_lines_and_close() {
    let (mut client, mut server) = pair();
    let echo = thread::spawn(move || {
        while let Some(message) = server.recv().unwrap() {
            server.send(message).unwrap();
        }
        server.ending().unwrap()
    });
    client.send("text").unwrap();
    assert_eq!(client.recv(), Ok(Some(Message::text("text"))));
    let large = Message::binary(vec![7; 1 << 20]);
    client.feed(large.clone()).unwrap();
    client.flush().unwrap();
    assert_eq!(client.recv(), Ok(Some(large)));
    for (part, fin) in [("a", Fin::More), ("b", Fin::Last)] {
        client
            .send_fragment(MessageKind::Text, part.as_bytes(), fin)
            .unwrap();
    }
    assert_eq!(client.recv(), Ok(Some(Message::text("ab"))));
    let ending = client.close(CloseCode::NORMAL, "done").unwrap();
    assert!(ending.is_clean());
    assert_eq!(client.recv(), Ok(None));
    let ending = echo.join().unwrap();
    assert_eq!((ending.by, &*ending.reason), (EndedBy::Peer, "done"));
    assert!(matches!(client.send("late"), Err(Error::Closed(Some(_)))));
}

#[test]
fn a_receive_that_timed_out_leaves_the_connection_as_it_was() {
    let (mut raw, mut server) = RawClient::pair();
    let mut bytes = Frame::text("abc").masked([9; 4]).encode();
    let rest = bytes.split_off(3);
    raw.0.write_all(&bytes).unwrap();
    let moment = Duration::from_millis(20);
    assert_eq!(server.recv_timeout(moment), Err(RecvError::TimedOut));
    assert_eq!(
        server.recv_timeout(Duration::ZERO),
        Err(RecvError::TimedOut)
    );
    server.set_receive_timeout(Some(moment));
    assert_eq!(server.recv(), Err(RecvError::TimedOut));
    assert_eq!(server.recv_frame(), Err(RecvError::TimedOut));
    assert_eq!(server.recv_fragment(), Err(RecvError::TimedOut));
    assert_eq!(server.recv_event(), Err(RecvError::TimedOut));
    server.send("still here").unwrap();
    assert_eq!(raw.frames(1)[0].payload, b"still here");
    server.set_receive_timeout(None);
    raw.0.write_all(&rest).unwrap();
    assert_eq!(server.recv(), Ok(Some(Message::text("abc"))));
}

#[test]
fn a_ping_is_answered_by_the_next_receive() {
    let (mut raw, mut server) = RawClient::pair();
    raw.send(Frame::ping("there?"));
    raw.send(Frame::text("a"));
    assert_eq!(server.recv(), Ok(Some(Message::text("a"))));
    let pong = &raw.frames(1)[0];
    assert_eq!((pong.opcode, &*pong.payload), (Frame::PONG, &b"there?"[..]));
    raw.send(Frame::close(1000, ""));
    let closing = thread::spawn(move || server.recv());
    assert_eq!(raw.frames(1)[0].close_code(), Some(1000));
    drop(raw);
    assert_eq!(closing.join().unwrap(), Ok(None));
}

#[test]
fn halves_work_in_two_threads() {
    let (client, server) = pair();
    let (mut sender, mut receiver) = client.split();
    let echo = thread::spawn(move || {
        let (mut sender, mut receiver) = server.split();
        while let Some(message) = receiver.recv().unwrap() {
            sender.send(message).unwrap();
        }
    });
    let sending = thread::spawn(move || {
        for number in 0..1000 {
            sender.send(format!("{number}")).unwrap();
        }
        sender.close(CloseCode::NORMAL, "").unwrap();
        assert!(sender.send("late").is_err());
    });
    for number in 0..1000 {
        let expected = Message::text(format!("{number}"));
        assert_eq!(receiver.recv(), Ok(Some(expected)));
    }
    assert_eq!(receiver.recv(), Ok(None));
    assert!(receiver.ending().unwrap().is_clean());
    sending.join().unwrap();
    echo.join().unwrap();
}

#[test]
fn a_receiving_half_times_out_alone() {
    let (client, mut server) = pair();
    let (mut sender, mut receiver) = client.split();
    assert_eq!(
        receiver.recv_timeout(Duration::from_millis(10)),
        Err(RecvError::TimedOut)
    );
    sender.send("a").unwrap();
    assert_eq!(server.recv(), Ok(Some(Message::text("a"))));
}

#[test]
fn a_send_that_takes_too_long_ends_the_connection() {
    let (raw, mut server) = RawClient::pair();
    server.set_send_timeout(Some(Duration::from_millis(20)));
    let message = Message::binary(vec![0; 1 << 20]);
    let error = (0..1000)
        .find_map(|_| server.send(message.clone()).err())
        .unwrap();
    let Error::Closed(Some(ending)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(ending.cause, Cause::Aborted);
    assert_eq!(server.recv(), Ok(None));
    drop(raw);
}

#[test]
fn the_program_decides_about_each_request() {
    let (listener, url) = listen();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        for _ in 0..3 {
            match listener.incoming().unwrap().read_request().unwrap() {
                Request::Http(request) => {
                    assert_eq!(request.head().path(), "/page");
                    let kind: (&str, &[u8]) = ("Content-Type", b"text/html");
                    request.answer(200, &[kind], b"<p>page").unwrap();
                }
                Request::WebSocket(offer) if offer.request().path() == "/no" => {
                    offer.refuse(404, "nothing here").unwrap();
                }
                Request::WebSocket(offer) => {
                    assert_eq!(offer.subprotocols().collect::<Vec<_>>(), ["chat"]);
                    let offer = offer.with_subprotocol("chat");
                    let mut ws = offer.with_header("X-Hello", "there").accept().unwrap();
                    ws.send("welcome").unwrap();
                    assert_eq!(ws.recv(), Ok(None));
                }
            }
        }
    });
    let mut page = TcpStream::connect(address).unwrap();
    page.write_all(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    page.read_to_string(&mut answer).unwrap();
    drop(page);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("<p>page"));
    let refused = blocking::connect(&format!("{url}no")).unwrap_err();
    assert!(matches!(refused, Error::Refused(answer) if answer.response.status() == 404));
    let connector = Connector::default().with_subprotocol("chat");
    let mut client = blocking::connect_with(&connector, &url).unwrap();
    assert_eq!(client.subprotocol(), Some("chat"));
    let response = client.response().unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(client.recv(), Ok(Some(Message::text("welcome"))));
    client.close(CloseCode::NORMAL, "").unwrap();
    server.join().unwrap();
}

#[test]
fn a_client_that_sends_nothing_holds_up_its_own_thread_only() {
    let (listener, url) = listen();
    let acceptor = Acceptor {
        handshake_timeout: Duration::from_millis(50),
        ..Acceptor::default()
    };
    let listener = listener.with_acceptor(acceptor);
    let silent = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let incoming = listener.incoming().unwrap();
    assert_eq!(incoming.peer_addr(), silent.local_addr().unwrap());
    let waiting = thread::spawn(move || incoming.accept());
    let client = thread::spawn(move || blocking::connect(&url));
    assert!(listener.accept().is_ok());
    assert!(client.join().unwrap().is_ok());
    assert!(matches!(waiting.join().unwrap(), Err(Error::Timeout(_))));
}

#[test]
fn waiting_for_connections_can_end() {
    let (listener, _) = listen();
    let nobody = listener
        .incoming_timeout(Duration::from_millis(10))
        .unwrap();
    assert!(nobody.is_none());
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let patience = Duration::from_mins(1);
    assert!(listener.incoming_timeout(patience).unwrap().is_some());
}

#[test]
fn a_call_inside_of_a_runtime_is_an_error_and_harms_nothing() {
    let (listener, url) = listen();
    let (mut client, mut server) = pair();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        assert!(matches!(blocking::connect(&url), Err(Error::InsideRuntime)));
        assert!(matches!(listener.accept(), Err(Error::InsideRuntime)));
        assert!(matches!(client.send("no"), Err(Error::InsideRuntime)));
        assert_eq!(client.recv(), Err(RecvError::InsideRuntime));
        assert_eq!(
            client.recv_timeout(Duration::ZERO),
            Err(RecvError::InsideRuntime)
        );
        let closed = client.close(CloseCode::NORMAL, "");
        assert!(matches!(closed, Err(Error::InsideRuntime)));
    });
    client.send("yes").unwrap();
    assert_eq!(server.recv(), Ok(Some(Message::text("yes"))));
}

#[test]
fn a_connection_that_async_code_accepted_goes_on_in_a_plain_thread() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (bound, address) = mpsc::channel();
    let (accepted, sockets) = mpsc::channel();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        bound.send(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        accepted.send(bowline::accept(stream).await.unwrap())
    });
    let url = format!("ws://{}/", address.recv().unwrap());
    let mut client = blocking::connect(&url).unwrap();
    let mut server = WebSocket::from_async(sockets.recv().unwrap()).unwrap();
    client.send("a").unwrap();
    assert_eq!(server.recv(), Ok(Some(Message::text("a"))));
    server.send("b").unwrap();
    assert_eq!(client.recv(), Ok(Some(Message::text("b"))));
}

#[test]
fn misuse_is_an_error_and_harms_nothing() {
    let (mut client, mut server) = pair();
    let misused = client.ping(&[0; 126]);
    assert!(matches!(
        misused,
        Err(Error::Misuse(Misuse::ControlTooLong))
    ));
    let code = CloseCode::ABNORMAL;
    assert!(matches!(client.close(code, ""), Err(Error::Misuse(_))));
    client.send("on").unwrap();
    assert_eq!(server.recv(), Ok(Some(Message::text("on"))));
    client.abort();
    assert_eq!(client.recv(), Ok(None));
    assert_eq!(server.recv(), Ok(None));
    assert!(!server.ending().unwrap().is_clean());
}
