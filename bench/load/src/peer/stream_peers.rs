//! Libraries that make the opening handshake on a stream themselves.

use futures_util::{SinkExt, StreamExt};
use soketto::handshake::{Server, server::Response};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::accept_async;
use tokio_util::compat::TokioAsyncReadCompatExt;
use tokio_websockets::ServerBuilder;

use crate::Outcome;

/// No WebSocket at all: what a task with a stream and a buffer of its own costs.
pub async fn bare(mut stream: TcpStream) -> Outcome {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let filled = stream.read(&mut buffer).await?;
        if filled == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..filled]).await?;
    }
}

pub async fn tungstenite(stream: impl AsyncRead + AsyncWrite + Unpin) -> Outcome {
    let mut ws = accept_async(stream).await?;
    while let Some(message) = ws.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            ws.send(message).await?;
        }
    }
    Ok(())
}

pub async fn tokio_websockets(stream: TcpStream) -> Outcome {
    let (_request, mut ws) = ServerBuilder::new().accept(stream).await?;
    while let Some(message) = ws.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            ws.send(message).await?;
        }
    }
    Ok(())
}

pub async fn sockudo(stream: TcpStream) -> Outcome {
    use sockudo_ws::{Config, Message, WebSocketStream};

    let mut stream = stream;
    sockudo_ws::handshake::server_handshake(&mut stream).await?;
    let mut ws = WebSocketStream::server(stream, Config::default());
    while let Some(message) = ws.next().await {
        match message? {
            message @ (Message::Text(_) | Message::Binary(_)) => ws.send(message).await?,
            Message::Close(_) => break,
            Message::Ping(_) | Message::Pong(_) => {}
        }
    }
    Ok(())
}

pub async fn soketto(stream: TcpStream) -> Outcome {
    let mut server = Server::new(stream.compat());
    let key = server.receive_request().await?.key();
    let accept = Response::Accept {
        key,
        protocol: None,
    };
    server.send_response(&accept).await?;
    let (mut sender, mut receiver) = server.into_builder().finish();
    let mut message = Vec::new();
    loop {
        message.clear();
        if receiver.receive_data(&mut message).await?.is_binary() {
            sender.send_binary_mut(&mut message).await?;
        } else {
            sender.send_text(std::str::from_utf8(&message)?).await?;
        }
        sender.flush().await?;
    }
}
