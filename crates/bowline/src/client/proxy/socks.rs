//! SOCKS5 (RFC 1928), with name and password (RFC 1929).
//!
//! No byte is read beyond the proxy's answers: what follows belongs to the server.

use std::{io, net::IpAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Proxy;
use crate::{
    client::{
        Endpoint,
        error::{ProxyError, SocksReply},
        login::Login,
    },
    transport::Transport,
};

/// Asks the proxy for a connection to the server; gives the stream back once it is one. The caller
/// bounds the time.
pub(super) async fn open<S: Transport>(
    stream: S,
    proxy: &Proxy,
    endpoint: &Endpoint,
) -> Result<S, ProxyError> {
    let request = request(endpoint)?;
    let mut exchange = Exchange { stream, proxy };
    exchange.agree_on_login().await?;
    exchange.send(&request).await?;
    exchange.read_reply().await?;
    Ok(exchange.stream)
}

struct Exchange<'a, S> {
    stream: S,
    proxy: &'a Proxy,
}

impl<S: Transport> Exchange<'_, S> {
    /// RFC 1928 section 3.
    async fn agree_on_login(&mut self) -> Result<(), ProxyError> {
        let login = self.proxy.login.as_ref();
        let login = login.map(login_request).transpose()?;
        match &login {
            None => self.send(&[VERSION, 1, METHOD_NONE]).await?,
            Some(_) => {
                self.send(&[VERSION, 2, METHOD_NONE, METHOD_LOGIN]).await?;
            }
        }
        let [version, method] = self.read().await?;
        if version != VERSION {
            return Err(self.not_socks());
        }
        match (method, login) {
            (METHOD_NONE, _) => Ok(()),
            (METHOD_LOGIN, Some(request)) => self.log_in(&request).await,
            (METHOD_UNACCEPTABLE, login) => Err(ProxyError::LoginMethod {
                proxy: self.proxy.authority(),
                has_login: login.is_some(),
            }),
            _ => Err(self.not_socks()),
        }
    }

    /// RFC 1929 section 2.
    async fn log_in(&mut self, request: &[u8]) -> Result<(), ProxyError> {
        self.send(request).await?;
        let [_version, status] = self.read().await?;
        if status == 0 {
            return Ok(());
        }
        Err(ProxyError::LoginRefused {
            proxy: self.proxy.authority(),
        })
    }

    /// RFC 1928 section 6.
    async fn read_reply(&mut self) -> Result<(), ProxyError> {
        let [version, reply] = self.read().await?;
        if version != VERSION {
            return Err(self.not_socks());
        }
        if reply != 0 {
            return Err(ProxyError::Socks {
                proxy: self.proxy.authority(),
                reply: SocksReply(reply),
            });
        }
        let [_reserved, address_type] = self.read().await?;
        let address_len = match address_type {
            ADDRESS_V4 => 4,
            ADDRESS_V6 => 16,
            ADDRESS_NAME => {
                let [len] = self.read().await?;
                usize::from(len)
            }
            _ => return Err(self.not_socks()),
        };
        // The address and port the proxy connects from tell nothing that is needed.
        let mut address = [0; ADDRESS_LEN_MAX + 2];
        let address = address.get_mut(..address_len + 2).unwrap_or_default();
        match self.stream.read_exact(address).await {
            Ok(_) => Ok(()),
            Err(source) => Err(self.failed(source)),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), ProxyError> {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|source| self.failed(source))
    }

    async fn read<const N: usize>(&mut self) -> Result<[u8; N], ProxyError> {
        let mut bytes = [0; N];
        match self.stream.read_exact(&mut bytes).await {
            Ok(_) => Ok(bytes),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn failed(&self, source: io::Error) -> ProxyError {
        let proxy = self.proxy.authority();
        if source.kind() == io::ErrorKind::UnexpectedEof {
            ProxyError::Eof { proxy }
        } else {
            ProxyError::Io { proxy, source }
        }
    }

    fn not_socks(&self) -> ProxyError {
        ProxyError::NotSocks {
            proxy: self.proxy.authority(),
        }
    }
}

/// RFC 1928 section 4: CONNECT to an address, or to a name that the proxy looks up.
fn request(endpoint: &Endpoint) -> Result<Vec<u8>, ProxyError> {
    let mut request = vec![VERSION, COMMAND_CONNECT, 0];
    match endpoint.host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(ADDRESS_V4);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(ADDRESS_V6);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            let len = u8::try_from(endpoint.host.len()).map_err(|_| ProxyError::HostTooLong)?;
            request.extend_from_slice(&[ADDRESS_NAME, len]);
            request.extend_from_slice(endpoint.host.as_bytes());
        }
    }
    request.extend_from_slice(&endpoint.port.to_be_bytes());
    Ok(request)
}

/// RFC 1929 section 2.
fn login_request(login: &Login) -> Result<Vec<u8>, ProxyError> {
    let mut request = vec![LOGIN_VERSION];
    for text in [&login.name, &login.password] {
        request.push(u8::try_from(text.len()).map_err(|_| ProxyError::Login)?);
        request.extend_from_slice(text);
    }
    Ok(request)
}

const VERSION: u8 = 5;
const METHOD_NONE: u8 = 0;
const METHOD_LOGIN: u8 = 2;
const METHOD_UNACCEPTABLE: u8 = 0xff;
const LOGIN_VERSION: u8 = 1;
const COMMAND_CONNECT: u8 = 1;
const ADDRESS_V4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_V6: u8 = 4;
const ADDRESS_LEN_MAX: usize = 255;
