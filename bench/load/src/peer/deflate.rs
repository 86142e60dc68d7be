//! Servers that agree to permessage-deflate: level 4, windows of 15 bits, every message
//! compressed however short.

use std::{
    io,
    sync::{Arc, LazyLock},
};

use ::bowline::{
    Acceptor, Message, Options,
    proto::{
        Config,
        deflate::{ContextPool, DeflateNegotiation, PoolLimits},
    },
    server::{Attributes, ConnectionGroup, GroupOptions, GroupTable, GroupTableLimits, Registry},
};
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use yawc::frame::OpCode;

use crate::Outcome;

/// What a server agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Off,
    Deflate,
    Takeover,
}

/// What each recipient's message costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fanout {
    /// A broadcast.
    Once,
    /// A send to each.
    EachAnew,
}

/// How many compressing contexts the pool keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// As many as by default.
    Default,
    /// One for each connection of the scenarios that echo.
    Many,
}

fn acceptor(mode: Mode, pool: Pool) -> Acceptor {
    static MANY: LazyLock<Arc<ContextPool>> = LazyLock::new(|| {
        Arc::new(ContextPool::new(PoolLimits {
            idle_deflaters_max: 128,
            ..PoolLimits::default()
        }))
    });
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| {
        Arc::new(Config {
            compression_size_min: 0,
            ..Config::default()
        })
    });
    let is_takeover = mode == Mode::Takeover;
    let mut options = Options {
        config: Arc::clone(&CONFIG),
        deflate: DeflateNegotiation {
            enabled: mode != Mode::Off,
            send_context_takeover: is_takeover,
            receive_context_takeover: is_takeover,
            ..DeflateNegotiation::default()
        },
        ..Options::default()
    };
    if pool == Pool::Many {
        options.pool = Arc::clone(&MANY);
    }
    Acceptor {
        options,
        ..Acceptor::default()
    }
}

pub async fn bowline(stream: TcpStream, mode: Mode, pool: Pool) -> Outcome {
    let mut ws = acceptor(mode, pool).accept(stream).await?;
    while let Some(message) = ws.recv().await {
        ws.send(message).await?;
    }
    Ok(())
}

/// Sends what arrives on `/pub` to all on `/sub`.
pub async fn bowline_fanout(listener: TcpListener, mode: Mode, fanout: Fanout) -> Outcome {
    let groups = GroupTable::new(Registry::new(), GroupTableLimits::default());
    let new_group =
        |name: &str| -> Result<ConnectionGroup, _> { groups.create(name, GroupOptions::default()) };
    let (subscribers, publishers) = (new_group("subscribers")?, new_group("publishers")?);
    let audience = subscribers.clone();
    publishers.on_text(move |_, text| match fanout {
        Fanout::Once => {
            audience.broadcast(Message::text(text.to_owned()));
        }
        Fanout::EachAnew => {
            for connection in audience.connections() {
                _ = connection.try_send(Message::text(text.to_owned()));
            }
        }
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (subscribers, publishers) = (subscribers.clone(), publishers.clone());
        tokio::spawn(async move {
            let request = acceptor(mode, Pool::Default).read_request(stream).await;
            let Ok(::bowline::Request::WebSocket(offer)) = request else {
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

async fn echo_frames<S>(mut ws: S) -> Outcome
where
    S: futures_util::Stream<Item = yawc::Frame> + Unpin,
    S: futures_util::Sink<yawc::Frame, Error = yawc::WebSocketError>,
{
    while let Some(frame) = ws.next().await {
        if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
            ws.send(frame).await?;
        }
    }
    Ok(())
}

pub async fn yawc(stream: TcpStream, mode: Mode) -> Outcome {
    use yawc::{CompressionLevel, Options, WebSocket};

    let options = Options::default()
        .with_utf8()
        .with_compression_level(CompressionLevel::new(LEVEL))
        .with_compression_threshold(0);
    let options = match mode {
        Mode::Takeover | Mode::Off => options,
        Mode::Deflate => options
            .server_no_context_takeover()
            .client_no_context_takeover(),
    };
    let upgrade = |mut request: Request<Incoming>| {
        let options = options.clone();
        async move {
            let (response, upgraded) =
                WebSocket::upgrade_with_options(&mut request, options).map_err(io::Error::other)?;
            tokio::spawn(async move { echo_frames(upgraded.await?).await });
            Result::<Response<Empty<Bytes>>, io::Error>::Ok(response)
        }
    };
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(upgrade))
        .with_upgrades()
        .await?;
    Ok(())
}

pub async fn sockudo(mut stream: TcpStream, mode: Mode) -> Outcome {
    use sockudo_ws::{
        CompressedWebSocketStream, Config, DeflateConfig, Message,
        deflate::negotiate_server_deflate, handshake,
    };

    let mut head = BytesMut::with_capacity(4096);
    let policy = DeflateConfig {
        server_no_context_takeover: mode == Mode::Deflate,
        client_no_context_takeover: mode == Mode::Deflate,
        compression_level: LEVEL,
        compression_threshold: 0,
        ..DeflateConfig::default()
    };
    let agreed = loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
        if let Some((request, _)) = handshake::parse_request(&head)? {
            let offers = request.extensions.unwrap_or_default();
            let agreed = negotiate_server_deflate(offers, &policy).ok_or("no offer")?;
            let key = handshake::generate_accept_key(request.key);
            let answer = handshake::build_response(&key, None, Some(&agreed.to_response_header()));
            stream.write_all(&answer).await?;
            break agreed;
        }
    };
    drop(head);
    let mut ws = CompressedWebSocketStream::server(stream, Config::default(), agreed.config);
    while let Some(message) = ws.next().await {
        match message? {
            message @ (Message::Text(_) | Message::Binary(_)) => ws.send(message).await?,
            Message::Close(_) => break,
            Message::Ping(_) | Message::Pong(_) => {}
        }
    }
    Ok(())
}

const LEVEL: u32 = 4;
