//! A small proxy that speaks CONNECT and SOCKS5.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bowline::{ServerTls, Transport};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::dial_server::{header, read_head};

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Connect,
    Socks5,
}

/// What a proxy does with whoever connects.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) speaks: Speaks,
    /// Under TLS, if it is there.
    pub(crate) tls: Option<ServerTls>,
    /// The name and password it wants, if any.
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// Where `berth.test` is: only the proxy knows.
    pub(crate) berth: SocketAddr,
}

/// A proxy over real sockets that keeps what it was asked for.
pub(crate) struct ProxyServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ProxyServer {
    pub(crate) async fn start(rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let asked = Arc::default();
        let server = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::clone(&asked),
        };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (rules, asked) = (rules.clone(), Arc::clone(&asked));
                tokio::spawn(async move {
                    // A client that leaves is no failure of the proxy.
                    drop(match &rules.tls {
                        None => serve(stream, &rules, &asked).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &rules, &asked).await,
                            Err(_) => Ok(()),
                        },
                    });
                });
            }
        });
        server
    }

    /// The targets asked for so far, as host and port.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve<S: Transport>(
    mut stream: S,
    rules: &Rules,
    asked: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let target = match rules.speaks {
        Speaks::Connect => connect_target(&mut stream, rules).await?,
        Speaks::Socks5 => socks_target(&mut stream, rules).await?,
    };
    let Some(target) = target else {
        return stream.shutdown().await;
    };
    asked.lock().unwrap().push(target.clone());
    let upstream = if target.starts_with("berth.test:") {
        TcpStream::connect(rules.berth).await
    } else {
        TcpStream::connect(&target).await
    };
    let (answer, mut upstream) = match (rules.speaks, upstream) {
        (Speaks::Connect, Ok(upstream)) => (&b"HTTP/1.1 200 Open\r\n\r\n"[..], Some(upstream)),
        (Speaks::Connect, Err(_)) => (
            &b"HTTP/1.1 502 Gone\r\nContent-Length: 4\r\n\r\ngone"[..],
            None,
        ),
        (Speaks::Socks5, Ok(upstream)) => (&[5, 0, 0, 3, 2, b'h', b'i', 0, 80][..], Some(upstream)),
        (Speaks::Socks5, Err(_)) => (&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0][..], None),
    };
    stream.write_all(answer).await?;
    if let Some(upstream) = &mut upstream {
        copy_bidirectional(&mut stream, upstream).await?;
    }
    stream.shutdown().await
}

async fn connect_target<S: Transport>(stream: &mut S, rules: &Rules) -> io::Result<Option<String>> {
    let head = read_head(stream).await?;
    let target = head.split(' ').nth(1).unwrap().to_owned();
    assert_eq!(
        head.lines().next(),
        Some(&*format!("CONNECT {target} HTTP/1.1"))
    );
    assert_eq!(header(&head, "Host").as_deref(), Some(&*target));
    // The only login of these tests.
    let expected = rules.login.map(|_| "Basic bWU6czNjcmV0");
    if header(&head, "Proxy-Authorization").as_deref() != expected {
        let answer =
            b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\nContent-Length: 8\r\n\r\nlog in: ";
        stream.write_all(answer).await?;
        return Ok(None);
    }
    Ok(Some(target))
}

async fn socks_target<S: Transport>(stream: &mut S, rules: &Rules) -> io::Result<Option<String>> {
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut methods).await?;
    let method = if rules.login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        stream.write_all(&[5, 0xff]).await?;
        return Ok(None);
    }
    stream.write_all(&[5, method]).await?;
    if let Some((name, password)) = rules.login {
        assert_eq!(stream.read_u8().await?, 1);
        let given = [read_text(stream).await?, read_text(stream).await?];
        let is_right = given == [name, password];
        stream.write_all(&[1, u8::from(!is_right)]).await?;
        if !is_right {
            return Ok(None);
        }
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let host = match request {
        [5, 1, 0, 1] => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).await?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        [5, 1, 0, 4] => {
            let mut address = [0; 16];
            stream.read_exact(&mut address).await?;
            format!("[{}]", std::net::Ipv6Addr::from(address))
        }
        [5, 1, 0, 3] => read_text(stream).await?,
        other => panic!("{other:?} is no request of SOCKS5"),
    };
    let port = stream.read_u16().await?;
    Ok(Some(format!("{host}:{port}")))
}

/// Reads a length and as many bytes.
async fn read_text<S: Transport>(stream: &mut S) -> io::Result<String> {
    let mut text = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8(text).unwrap())
}
