//! Servers of one connection, in a thread beside the test.

use std::net::TcpListener as StdListener;

use bowline::{CloseCode, Message};
use tokio::net::{TcpListener, TcpStream};

/// Serves one connection in the background and gives the URL for it.
pub(crate) fn serve_one<F>(serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()>,
{
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream).await;
        });
    });
    format!("ws://{address}/")
}

/// Sends messages, then closes with a code and waits for the end.
pub(crate) fn serve_messages(messages: Vec<Message>, code: u16) -> String {
    serve_one(async move |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        for message in messages {
            ws.send(message).await.unwrap();
        }
        ws.close(CloseCode(code), "reason").await.unwrap();
    })
}
