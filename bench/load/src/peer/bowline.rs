//! Our own library: in one piece, in halves, as a group with handlers.

use std::{sync::Arc, time::Duration};

use bowline::{
    Acceptor, Config, Keepalive, Message, Options,
    server::{Attributes, ConnectionGroup, GroupOptions, GroupTable, GroupTableLimits, Registry},
};
use tokio::net::{TcpListener, TcpStream};

use crate::Outcome;

pub async fn plain(stream: TcpStream) -> Outcome {
    let mut ws = bowline::accept(stream).await?;
    while let Some(message) = ws.recv().await {
        ws.send(message).await?;
    }
    Ok(())
}

/// Accepts and ends the connection without a word.
pub async fn leave(stream: TcpStream) -> Outcome {
    drop(bowline::accept(stream).await?);
    Ok(())
}

/// Keeps silent connections alive.
pub async fn kept(listener: TcpListener) -> Outcome {
    let config = Config {
        keepalive: Some(Keepalive {
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(20),
        }),
        ..Config::default()
    };
    let acceptor = Arc::new(Acceptor {
        options: Options {
            config: Arc::new(config),
            ..Options::default()
        },
        ..Acceptor::default()
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(echo(Arc::clone(&acceptor), stream));
    }
}

async fn echo(acceptor: Arc<Acceptor>, stream: TcpStream) -> Outcome {
    let mut ws = acceptor.accept(stream).await?;
    drop(acceptor);
    while let Some(message) = ws.recv().await {
        ws.send(message).await?;
    }
    Ok(())
}

pub async fn split(stream: TcpStream) -> Outcome {
    let (mut sender, mut receiver) = bowline::accept(stream).await?.split();
    while let Some(message) = receiver.recv().await {
        sender.send(message).await?;
    }
    Ok(())
}

/// Echoes in a handler.
pub async fn group(listener: TcpListener) -> Outcome {
    let group = new_group("echo")?;
    group.on_binary(|connection, payload| {
        // A connection that is over takes nothing; its end is seen where it is received on.
        _ = connection.try_send(Message::binary(payload.to_vec()));
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let group = group.clone();
        tokio::spawn(async move {
            if let Ok(ws) = bowline::accept(stream).await {
                drop(group.adopt(ws, Attributes::default()));
            }
        });
    }
}

/// Broadcasts what arrives on `/pub` to all on `/sub`.
pub async fn fanout(listener: TcpListener) -> Outcome {
    let subscribers = new_group("subscribers")?;
    let publishers = new_group("publishers")?;
    let audience = subscribers.clone();
    publishers.on_binary(move |_, payload| {
        audience.broadcast(Message::binary(payload.to_vec()));
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (subscribers, publishers) = (subscribers.clone(), publishers.clone());
        tokio::spawn(async move {
            let request = Acceptor::default().read_request(stream).await;
            let Ok(bowline::Request::WebSocket(offer)) = request else {
                return;
            };
            let group = match offer.request().path() {
                "/pub" => publishers,
                _ => subscribers,
            };
            if let Ok(ws) = offer.accept().await {
                drop(group.adopt(ws, Attributes::default()));
            }
        });
    }
}

fn new_group(name: &str) -> Result<ConnectionGroup, Box<dyn std::error::Error + Send + Sync>> {
    let groups = GroupTable::new(Registry::new(), GroupTableLimits::default());
    Ok(groups.create(name, GroupOptions::default())?)
}
