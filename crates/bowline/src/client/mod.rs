//! Connecting to a WebSocket server.

mod endpoint;
pub mod managed;

use std::{future::Future, sync::Arc, time::Duration};

use bowline_proto::{
    Connection, MaskingKey,
    handshake::{ClientHandshake, ClientLimits, ClientOutcome, ClientRequest},
};
use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    time::timeout,
};

pub use endpoint::Endpoint;

use crate::{
    driver::now,
    error::{ConnectPhase, Error},
    metrics::Observer,
    options::Options,
    socket::{Opening, WebSocket},
    transport::{Stream, Transport, tls::ClientTls},
};

/// Connects to `ws://` or `wss://`, with the defaults of [`Connector`].
///
/// Not cancel-safe: dropping the future gives the attempt up.
///
/// # Errors
/// As [`Connector::connect`].
pub async fn connect(url: &str) -> Result<WebSocket, Error> {
    Connector::default().connect(url).await
}

/// Makes the client's side of opening handshakes.
#[derive(Clone, Debug, Default)]
pub struct Connector {
    /// Configures the connections.
    pub options: Options,
    /// How servers are checked; `None` trusts what the operating system trusts.
    pub tls: Option<ClientTls>,
    /// Deadlines of the phases.
    pub timeouts: Timeouts,
    /// Bounds the server's answer.
    pub limits: ClientLimits,
    /// Headers besides those of the handshake.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Subprotocols to offer, most wanted first.
    pub subprotocols: Vec<String>,
    /// The origin, for servers that want one.
    pub origin: Option<String>,
}

/// How long the phases of connecting may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Looking the name up and making the TCP connection.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// The opening handshake, with the body of a refusal.
    pub handshake: Duration,
}

impl Default for Timeouts {
    /// Ten seconds each.
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Self {
            connect: ten,
            tls: ten,
            handshake: ten,
        }
    }
}

impl Connector {
    /// Adds a header to the request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Offers a subprotocol, less wanted than those offered before.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocols.push(subprotocol.to_owned());
        self
    }

    /// Names the origin, for servers that want one.
    #[must_use]
    pub fn with_origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    /// Connects to a URL.
    ///
    /// Not cancel-safe: dropping the future gives the attempt up.
    ///
    /// # Errors
    /// [`Error`] says which phase failed and why; [`Error::Refused`] has the server's answer if it
    /// was not 101.
    pub async fn connect(&self, url: &str) -> Result<WebSocket, Error> {
        self.connect_to(&Endpoint::parse(url)?).await
    }

    /// Connects to an endpoint. Not cancel-safe, as [`connect`](Self::connect).
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_to(&self, endpoint: &Endpoint) -> Result<WebSocket, Error> {
        let connected = self.dial(endpoint).await;
        connected.map_err(|error| self.options.handshake_failed(error))
    }

    async fn dial(&self, endpoint: &Endpoint) -> Result<WebSocket, Error> {
        let request = self.request(endpoint)?;
        let tls = match (&self.tls, endpoint.secure) {
            (_, false) => None,
            (Some(tls), true) => Some(tls.clone()),
            (None, true) => Some(ClientTls::native()?),
        };
        let connect = self.timeouts.connect;
        let tcp = within(connect, ConnectPhase::Connect, connect_tcp(endpoint)).await?;
        let stream = match tls {
            None => Stream::Tcp(tcp),
            Some(tls) => {
                let handshake = async { Ok(tls.connect(&endpoint.host, tcp).await?) };
                within(self.timeouts.tls, ConnectPhase::Tls, handshake).await?
            }
        };
        self.handshake(&request, stream, endpoint.path()).await
    }

    /// Makes the opening handshake on a stream that is connected already: a Unix socket, a tunnel.
    ///
    /// Not cancel-safe: a dropped handshake drops the stream.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_on<S: Transport>(
        &self,
        endpoint: &Endpoint,
        stream: S,
    ) -> Result<WebSocket<S>, Error> {
        let connected = match self.request(endpoint) {
            Ok(request) => self.handshake(&request, stream, endpoint.path()).await,
            Err(error) => Err(error),
        };
        connected.map_err(|error| self.options.handshake_failed(error))
    }

    fn request(&self, endpoint: &Endpoint) -> Result<ClientRequest, Error> {
        let mut request = ClientRequest::new(&endpoint.authority, &endpoint.target)?;
        if let Some(authorization) = &endpoint.authorization {
            request.add_header("Authorization", authorization.as_bytes())?;
        }
        if let Some(origin) = &self.origin {
            request.set_origin(origin)?;
        }
        for (name, value) in &self.headers {
            request.add_header(name, value)?;
        }
        for subprotocol in &self.subprotocols {
            request.add_subprotocol(subprotocol)?;
        }
        request.set_deflate(self.options.deflate);
        Ok(request)
    }

    async fn handshake<S: Transport>(
        &self,
        request: &ClientRequest,
        mut stream: S,
        path: &str,
    ) -> Result<WebSocket<S>, Error> {
        let mut bytes = BytesMut::new();
        let mut handshake = request.start(rand::random(), self.limits, &mut bytes);
        let exchanged = {
            let exchange = exchange(&mut handshake, &mut bytes, &mut stream);
            within(self.timeouts.handshake, ConnectPhase::Handshake, exchange).await
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
        let deflate = accepted.deflate.map(|params| self.options.deflate(params));
        let opening = Opening {
            subprotocol: accepted.subprotocol,
            compressed: deflate.is_some(),
            response: Some(accepted.response),
            observer: Observer::new(&self.options, "client", path),
        };
        let masks = Box::new(|| MaskingKey(rand::random()));
        let config = Arc::clone(&self.options.config);
        let connection = Connection::client(config, deflate, masks, now());
        Ok(WebSocket::from_parts(connection, stream, rest).with_opening(opening))
    }
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

/// Looks the name up and tries its addresses in turn.
async fn connect_tcp(endpoint: &Endpoint) -> Result<TcpStream, Error> {
    let host = || endpoint.authority.as_str().into();
    let addresses = lookup_host((endpoint.host.as_str(), endpoint.port))
        .await
        .map_err(|source| Error::Resolve {
            host: host(),
            source,
        })?;
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(Error::Connect {
        host: host(),
        source: last,
    })
}

async fn within<T>(
    deadline: Duration,
    phase: ConnectPhase,
    attempt: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout(deadline, attempt)
        .await
        .unwrap_or(Err(Error::Timeout(phase)))
}

const CHUNK_LEN: usize = 4 << 10;
