//! Messages there and back, and a clean close, over TCP.

use bowline::{CloseCode, EndedBy, Message, WebSocket};
use tokio::net::{TcpListener, TcpStream};

async fn pair() -> (WebSocket, WebSocket<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let accept = async {
        bowline::accept(listener.accept().await.unwrap().0)
            .await
            .unwrap()
    };
    let (client, server) = tokio::join!(bowline::connect(&url), accept);
    (client.unwrap(), server)
}

#[tokio::test]
async fn messages_of_every_size_come_back_and_both_ends_agree_on_the_close() {
    let (mut client, mut server) = pair().await;
    let echo = tokio::spawn(async move {
        while let Some(message) = server.recv().await {
            server.send(message).await.unwrap();
        }
        server.ending().unwrap()
    });
    for len in [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 16 << 20] {
        let message = Message::binary(vec![0xA5; len]);
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.recv().await, Some(message), "{len} bytes");
    }
    let ending = client.close(CloseCode::NORMAL, "done").await.unwrap();
    assert!(ending.is_clean());
    assert_eq!(ending.by, EndedBy::Local);
    let ending = echo.await.unwrap();
    assert!(ending.is_clean());
    assert_eq!(
        (ending.by, ending.code, &*ending.reason),
        (EndedBy::Peer, CloseCode::NORMAL, "done")
    );
}
