//! A server whose bytes come one at a time while TLS is agreed on.

use std::{net::SocketAddr, time::Duration};

use bowline::{ConnectPhase, Connector, Error, Message, Timeouts};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::{
    dial_server::{Answer, Identity, Server},
    ends::soon,
};

/// Forwards what the server sends in pieces of this many bytes, with a pause before each.
async fn dribbling(to: SocketAddr, piece_len: usize, pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        near.set_nodelay(true).unwrap();
        let mut far = TcpStream::connect(to).await.unwrap();
        let (mut near_read, mut near_write) = near.split();
        let (mut far_read, mut far_write) = far.split();
        let down = async {
            let mut piece = vec![0; piece_len];
            loop {
                sleep(pause).await;
                let read = far_read.read(&mut piece).await?;
                if read == 0 {
                    return std::io::Result::Ok(());
                }
                near_write.write_all(&piece[..read]).await?;
            }
        };
        // The client may leave at any time.
        drop(tokio::join!(
            tokio::io::copy(&mut near_read, &mut far_write),
            down
        ));
    });
    address
}

async fn connect(piece_len: usize, pause: Duration, timeouts: Timeouts) -> Result<(), Error> {
    let identity = Identity::for_names(&["localhost"]);
    let server = Server::start_with(Some(identity.server()), |_| Answer::Accept).await;
    let address = dribbling(server.address, piece_len, pause).await;
    let connector = Connector {
        timeouts,
        ..Connector::default().with_tls(identity.client())
    };
    let url = format!("wss://localhost:{}/", address.port());
    let mut ws = soon(connector.connect(&url)).await?;
    ws.send("ahoy").await?;
    assert_eq!(soon(ws.recv()).await, Some(Message::text("ahoy")));
    Ok(())
}

#[tokio::test]
async fn bytes_that_come_one_at_a_time_are_put_together() {
    connect(1, Duration::ZERO, Timeouts::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn bytes_that_never_stop_coming_do_not_hold_the_deadline_off() {
    // The handshake has some thousand bytes.
    let pause = Duration::from_millis(20);
    let short = Duration::from_millis(300);
    let tls = Timeouts {
        tls: short,
        ..Timeouts::default()
    };
    let error = connect(1, pause, tls).await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout(ConnectPhase::Tls)),
        "{error:?}"
    );
    let total = Timeouts {
        total: short,
        ..Timeouts::default()
    };
    let error = connect(1, pause, total).await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout(ConnectPhase::Total)),
        "{error:?}"
    );
}
