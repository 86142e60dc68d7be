//! The opening handshake over a stream.

use std::sync::Arc;

use bowline_proto::{
    Connection, MaskingKey,
    handshake::{ClientHandshake, ClientOutcome, ClientRequest},
};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Connector, timeouts::within};
use crate::{
    driver::now,
    error::{ConnectPhase, Error},
    metrics::Observer,
    socket::{Opening, WebSocket},
    transport::Transport,
};

/// Sends a request, reads the answer, and makes the connection that was agreed on. `path` is
/// for whoever watches.
pub(super) async fn handshake<S: Transport>(
    connector: &Connector,
    request: &ClientRequest,
    mut stream: S,
    path: &str,
) -> Result<WebSocket<S>, Error> {
    let options = &connector.options;
    let mut bytes = BytesMut::new();
    let mut handshake = request.start(rand::random(), connector.limits, &mut bytes);
    let exchanged = {
        let exchange = exchange(&mut handshake, &mut bytes, &mut stream);
        let deadline = connector.timeouts.handshake;
        within(deadline, ConnectPhase::Handshake, exchange).await
    };
    let outcome = match exchanged {
        // A refusal whose body was cut off, by the stream or the deadline, still says why.
        Err(Error::Io(_) | Error::Timeout(_)) if handshake.response().is_some() => {
            handshake.handle_eof()?
        }
        exchanged => exchanged?,
    };
    let accepted = match outcome {
        ClientOutcome::Accepted(accepted) => accepted,
        ClientOutcome::Refused(refused) => return Err(Error::Refused(Box::new(refused))),
    };
    let rest = bytes.split_off(accepted.consumed);
    let deflate = accepted.deflate.map(|params| options.deflate(params));
    let opening = Opening {
        subprotocol: accepted.subprotocol,
        compressed: deflate.is_some(),
        response: Some(accepted.response),
        observer: Observer::new(options, "client", path),
    };
    let masks = Box::new(|| MaskingKey(rand::random()));
    let config = Arc::clone(&options.config);
    let connection = Connection::client(config, deflate, masks, now());
    Ok(WebSocket::from_parts(connection, stream, rest).with_opening(opening))
}

/// Sends the request and reads the answer, in chunks; leaves the last one in `bytes`.
async fn exchange<S: Transport>(
    handshake: &mut ClientHandshake,
    bytes: &mut BytesMut,
    stream: &mut S,
) -> Result<ClientOutcome, Error> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    loop {
        bytes.clear();
        bytes.reserve(CHUNK_LEN);
        let outcome = match stream.read_buf(bytes).await? {
            0 => Some(handshake.handle_eof()?),
            _ => handshake.handle_input(bytes)?,
        };
        if let Some(outcome) = outcome {
            return Ok(outcome);
        }
    }
}

const CHUNK_LEN: usize = 4 << 10;
