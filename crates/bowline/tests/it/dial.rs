//! From a name to a TCP connection: the resolver, the race, the socket, the deadlines.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use bowline::{ConnectPhase, Connector, Error, Message, Resolver, TcpOptions, Timeouts};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Instant, sleep, timeout},
};

use crate::{
    dial_server::{Answer, Server, Table},
    ends::soon,
};

fn connector(name: &str, addresses: &[&str]) -> Connector {
    Connector {
        resolver: Some(Table::of(name, addresses)),
        ..Connector::default()
    }
}

async fn accepting() -> Server {
    Server::start(|_| Answer::Accept).await
}

/// A listener that takes no more connections, and those that wait in its queue.
async fn black_hole(address: &str) -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address.parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let connect = TcpStream::connect(address);
        match timeout(Duration::from_millis(50), connect).await {
            Ok(stream) => waiting.push(stream.unwrap()),
            Err(_) => break,
        }
    }
    (listener, waiting)
}

#[tokio::test]
async fn a_name_with_a_dead_address_is_reached_at_the_other_whichever_comes_first() {
    let server = accepting().await;
    let port = server.address.port();
    for addresses in [["::1", "127.0.0.1"], ["127.0.0.1", "::1"]] {
        let connector = connector("two.test", &addresses);
        let url = format!("ws://two.test:{port}/");
        let mut ws = soon(connector.connect(&url)).await.unwrap();
        ws.send("here").await.unwrap();
        assert_eq!(soon(ws.recv()).await, Some(Message::text("here")));
    }
    let host = format!("two.test:{port}");
    assert_eq!(
        server.values("Host"),
        [Some(host.clone()), Some(host)],
        "the name is asked for, not the address"
    );
}

#[tokio::test]
async fn both_families_are_used() {
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, peer) = listener.accept().await.unwrap();
        drop(bowline::accept(stream).await.unwrap());
        peer
    });
    let connector = connector("two.test", &["127.0.0.1", "::1"]);
    let url = format!("ws://two.test:{}/", address.port());
    soon(connector.connect(&url)).await.unwrap();
    assert!(serving.await.unwrap().is_ipv6());
}

#[tokio::test]
async fn an_address_that_never_answers_does_not_hold_the_next_one_up() {
    let server = accepting().await;
    let port = server.address.port();
    let (_listener, _waiting) = black_hole(&format!("127.0.0.2:{port}")).await;
    let mut connector = connector("slow.test", &["127.0.0.2", "127.0.0.1"]);
    connector.tcp.attempt_delay = Duration::from_millis(20);
    connector.timeouts.connect = Duration::from_mins(1);
    let url = format!("ws://slow.test:{port}/");
    let ws = soon(connector.connect(&url)).await.unwrap();
    let peer = ws.with_stream(|stream| stream.tcp().peer_addr().unwrap());
    assert_eq!(peer, Some(server.address));
}

#[tokio::test]
async fn when_every_address_refuses_each_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let connector = connector("dead.test", &["127.0.0.1", "127.0.0.2"]);
    let url = format!("ws://dead.test:{port}/");
    let failed = soon(connector.connect(&url)).await.unwrap_err();
    let Error::Connect {
        host,
        source,
        earlier,
    } = &failed
    else {
        panic!("{failed}");
    };
    assert_eq!(**host, *format!("dead.test:{port}"));
    assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(earlier.len(), 1);
    assert!(failed.to_string().contains("127.0.0.1"), "{failed}");
}

#[tokio::test]
async fn a_name_that_is_not_known_or_has_no_address_is_told() {
    for (name, addresses) in [("other.test", &["127.0.0.1"][..]), ("none.test", &[])] {
        let failed = connector(name, addresses).connect("ws://none.test/").await;
        let failed = failed.unwrap_err();
        assert!(matches!(failed, Error::Resolve { .. }), "{failed}");
        assert!(failed.to_string().contains("none.test:80"), "{failed}");
    }
}

/// Takes its time.
#[derive(Debug)]
struct Slow(Duration);

impl Resolver for Slow {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
        _: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        Box::pin(async {
            sleep(self.0).await;
            Err(io::ErrorKind::NotFound.into())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadlines_of_the_resolver_and_of_everything_are_kept() {
    let cases = [
        (20, Timeouts::default(), Some((ConnectPhase::Resolve, 10))),
        (
            20,
            Timeouts {
                total: Duration::from_secs(7),
                ..Timeouts::default()
            },
            Some((ConnectPhase::Total, 7)),
        ),
        (9, Timeouts::default(), None),
    ];
    for (takes, timeouts, expected) in cases {
        let connector = Connector {
            timeouts,
            resolver: Some(Arc::new(Slow(Duration::from_secs(takes)))),
            ..Connector::default()
        };
        let start = Instant::now();
        let failed = connector.connect("ws://slow.test/").await.unwrap_err();
        match expected {
            Some((phase, after)) => {
                assert!(
                    matches!(failed, Error::Timeout(p) if p == phase),
                    "{failed}"
                );
                assert!(failed.to_string().contains(&phase.to_string()));
                assert_eq!(start.elapsed().as_secs(), after);
            }
            None => assert!(matches!(failed, Error::Resolve { .. }), "{failed}"),
        }
    }
}

#[tokio::test]
async fn a_server_whose_every_address_is_a_black_hole_is_given_up_at_the_deadline() {
    let (listener, _waiting) = black_hole("127.0.0.3:0").await;
    let port = listener.local_addr().unwrap().port();
    let mut connector = connector("hole.test", &["127.0.0.3"]);
    connector.timeouts.connect = Duration::from_millis(50);
    let url = format!("ws://hole.test:{port}/");
    let failed = soon(connector.connect(&url)).await.unwrap_err();
    assert!(
        matches!(failed, Error::Timeout(ConnectPhase::Connect)),
        "{failed}"
    );
}

#[tokio::test]
async fn a_connection_comes_from_the_address_it_was_bound_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (stream, peer) = listener.accept().await.unwrap();
        drop(bowline::accept(stream).await.unwrap());
        peer.ip()
    });
    let mut connector = connector("two.test", &["::1", "127.0.0.1"]);
    let bound: IpAddr = "127.0.0.9".parse().unwrap();
    connector.tcp.bind_address = Some(bound);
    let url = format!("ws://two.test:{port}/");
    soon(connector.connect(&url)).await.unwrap();
    assert_eq!(serving.await.unwrap(), bound);

    let failed = connector.connect("ws://[::1]:9/").await.unwrap_err();
    assert!(failed.to_string().contains("family"), "{failed}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_goes_through_the_interface_it_was_bound_to() {
    let server = accepting().await;
    let mut connector = Connector::default();
    connector.tcp.bind_interface = Some("lo".to_owned());
    soon(connector.connect(&server.url("/"))).await.unwrap();

    connector.tcp.bind_interface = Some("none0".to_owned());
    let failed = connector.connect(&server.url("/")).await.unwrap_err();
    assert!(matches!(failed, Error::Connect { .. }), "{failed}");
    assert!(failed.to_string().contains("none0"), "{failed}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_options_of_tcp_reach_the_socket() {
    let server = accepting().await;
    for nodelay in [true, false] {
        let connector = Connector {
            tcp: TcpOptions {
                nodelay,
                keepalive: Some(Duration::from_secs(45)),
                user_timeout: Some(Duration::from_secs(20)),
                ..TcpOptions::default()
            },
            ..Connector::default()
        };
        let ws = soon(connector.connect(&server.url("/"))).await.unwrap();
        ws.with_stream(|stream| {
            let socket = SockRef::from(stream.tcp());
            assert_eq!(socket.tcp_nodelay().unwrap(), nodelay);
            assert!(socket.keepalive().unwrap());
            assert_eq!(
                socket.tcp_keepalive_time().unwrap(),
                Duration::from_secs(45)
            );
            assert_eq!(
                socket.tcp_user_timeout().unwrap(),
                Some(Duration::from_secs(20))
            );
        })
        .unwrap();
    }
    let ws = soon(bowline::connect(&server.url("/"))).await.unwrap();
    let plain = ws.with_stream(|stream| {
        let socket = SockRef::from(stream.tcp());
        (socket.tcp_nodelay().unwrap(), socket.keepalive().unwrap())
    });
    assert_eq!(plain, Some((true, false)));
}
