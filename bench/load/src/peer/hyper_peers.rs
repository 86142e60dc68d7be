//! Libraries whose opening handshake is made by hyper.

use std::io;

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode};
use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Outcome;

type Answer = Result<Response<Empty<Bytes>>, io::Error>;

pub async fn fastwebsockets(stream: TcpStream) -> Outcome {
    let upgrade = |mut request: Request<Incoming>| async move {
        let (response, upgraded) =
            fastwebsockets::upgrade::upgrade(&mut request).map_err(io::Error::other)?;
        tokio::spawn(async move {
            let mut ws = FragmentCollector::new(upgraded.await?);
            loop {
                let frame = ws.read_frame().await?;
                match frame.opcode {
                    OpCode::Text | OpCode::Binary => {
                        ws.write_frame(Frame::new(true, frame.opcode, None, frame.payload))
                            .await?;
                    }
                    OpCode::Close => return Outcome::Ok(()),
                    OpCode::Continuation | OpCode::Ping | OpCode::Pong => {}
                }
            }
        });
        Answer::Ok(response)
    };
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(upgrade))
        .with_upgrades()
        .await?;
    Ok(())
}

pub async fn yawc(stream: TcpStream) -> Outcome {
    use yawc::{WebSocket, frame::OpCode};

    let upgrade = |mut request: Request<Incoming>| async move {
        let (response, upgraded) = WebSocket::upgrade(&mut request).map_err(io::Error::other)?;
        tokio::spawn(async move {
            let mut ws = upgraded.await?;
            while let Some(frame) = ws.next().await {
                if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
                    ws.send(frame).await?;
                }
            }
            Outcome::Ok(())
        });
        Answer::Ok(response)
    };
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(upgrade))
        .with_upgrades()
        .await?;
    Ok(())
}
