//! CONNECT of HTTP (RFC 9110 section 9.3.6).

use std::time::Duration;

use bowline_proto::handshake::{
    ClientHandshake, ClientLimits, ClientOutcome, ClientRefused, ClientRequest, HeadParser,
    ResponseHead,
};
use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::Proxy;
use crate::{
    client::{Endpoint, endpoint::host_and_port, error::ProxyError},
    error::{ConnectPhase, Error},
    transport::Transport,
};

/// Asks the proxy for a tunnel to the server; gives the stream back once it is one.
///
/// # Errors
/// [`Error::Proxy`]; [`Error::Timeout`] unless the proxy had begun to refuse.
pub(super) async fn open<S: Transport>(
    mut stream: S,
    proxy: &Proxy,
    endpoint: &Endpoint,
    limits: ClientLimits,
    deadline: Duration,
) -> Result<S, Error> {
    let mut answer = Answer::new(proxy, limits);
    let request = request(proxy, endpoint);
    match timeout(deadline, answer.exchange(&request, &mut stream)).await {
        Ok(Ok(())) => Ok(stream),
        // A refusal whose body was cut off, by the stream or the deadline, still says why.
        Ok(Err(error)) => Err(answer.cut_off().unwrap_or(error).into()),
        Err(_) => Err(answer
            .cut_off()
            .map_or(Error::Timeout(ConnectPhase::Proxy), Into::into)),
    }
}

fn request(proxy: &Proxy, endpoint: &Endpoint) -> Vec<u8> {
    let target = host_and_port(&endpoint.host, endpoint.port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(login) = &proxy.login {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(&login.basic());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// What the proxy has answered so far.
struct Answer<'a> {
    proxy: &'a Proxy,
    limits: ClientLimits,
    parser: HeadParser<ResponseHead>,
    /// Reads a refusal from its head on.
    refusal: Option<ClientHandshake>,
}

impl<'a> Answer<'a> {
    fn new(proxy: &'a Proxy, limits: ClientLimits) -> Self {
        Self {
            proxy,
            limits,
            parser: HeadParser::new(limits.head),
            refusal: None,
        }
    }

    async fn exchange<S: Transport>(
        &mut self,
        request: &[u8],
        stream: &mut S,
    ) -> Result<(), ProxyError> {
        let fail = |source| ProxyError::Io {
            proxy: self.proxy.authority(),
            source,
        };
        stream.write_all(request).await.map_err(fail)?;
        stream.flush().await.map_err(fail)?;
        let mut interim_count = 0;
        let mut chunk = BytesMut::new();
        loop {
            chunk.clear();
            chunk.reserve(CHUNK_LEN);
            let read = stream.read_buf(&mut chunk).await;
            let read = read.map_err(|source| ProxyError::Io {
                proxy: self.proxy.authority(),
                source,
            })?;
            if read == 0 {
                return Err(self.cut_off().unwrap_or_else(|| ProxyError::Eof {
                    proxy: self.proxy.authority(),
                }));
            }
            if self.handle_input(&chunk, &mut interim_count)? {
                return Ok(());
            }
        }
    }

    /// Takes the next bytes; tells whether the tunnel stands.
    fn handle_input(
        &mut self,
        chunk: &[u8],
        interim_count: &mut usize,
    ) -> Result<bool, ProxyError> {
        let mut rest = chunk;
        while self.refusal.is_none() {
            let parsed = self.parser.handle_input(rest);
            let parsed = parsed.map_err(|reason| ProxyError::Head {
                proxy: self.proxy.authority(),
                reason,
            })?;
            let Some(parsed) = parsed else {
                return Ok(false);
            };
            rest = rest.get(parsed.consumed..).unwrap_or_default();
            match parsed.head.status() {
                200..=299 if rest.is_empty() => return Ok(true),
                200..=299 => {
                    return Err(ProxyError::EarlyBytes {
                        proxy: self.proxy.authority(),
                    });
                }
                101 => return Err(self.strange()),
                100..=199 if *interim_count == self.limits.interim_count_max => {
                    return Err(self.strange());
                }
                100..=199 => *interim_count += 1,
                _ => {
                    let mut reader = self.refusal_reader()?;
                    let begun = reader.handle_input(parsed.head.as_bytes());
                    self.refusal = Some(reader);
                    self.check(begun)?;
                }
            }
        }
        let Some(reader) = &mut self.refusal else {
            return Ok(false);
        };
        let outcome = reader.handle_input(rest);
        self.check(outcome)?;
        Ok(false)
    }

    /// A proxy refuses as a server refuses an opening handshake, so the same reader serves. The
    /// request it belongs to is never sent.
    fn refusal_reader(&self) -> Result<ClientHandshake, ProxyError> {
        let request = ClientRequest::new("proxy", "/").map_err(|_| self.strange())?;
        Ok(request.start([0; 16], self.limits, &mut BytesMut::new()))
    }

    fn check<E>(&self, outcome: Result<Option<ClientOutcome>, E>) -> Result<(), ProxyError> {
        match outcome {
            Ok(None) => Ok(()),
            Ok(Some(ClientOutcome::Refused(refused))) => Err(self.refused(refused)),
            Ok(Some(ClientOutcome::Accepted(_))) | Err(_) => Err(self.strange()),
        }
    }

    /// Gives the refusal as far as it came, if one has begun.
    fn cut_off(&mut self) -> Option<ProxyError> {
        match self.refusal.take()?.handle_eof() {
            Ok(ClientOutcome::Refused(refused)) => Some(self.refused(refused)),
            Ok(ClientOutcome::Accepted(_)) | Err(_) => None,
        }
    }

    fn refused(&self, refused: ClientRefused) -> ProxyError {
        ProxyError::Refused {
            proxy: self.proxy.authority(),
            refused: Box::new(refused),
        }
    }

    fn strange(&self) -> ProxyError {
        ProxyError::Answer {
            proxy: self.proxy.authority(),
        }
    }
}

const CHUNK_LEN: usize = 4 << 10;
