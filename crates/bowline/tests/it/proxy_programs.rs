//! Through proxies that others wrote: tinyproxy and microsocks.

use std::{
    fs,
    net::TcpListener as StdListener,
    process::{Child, Command, Stdio},
};

use bowline::{
    Connector, Error, Message, Proxy, ProxyError, SocksReply, Stream,
    managed::{Client, ClientState, DeliveryStatus},
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    time::{Duration, sleep},
};

use crate::{
    dial_server::{Answer, Identity, Server},
    ends::soon,
    interop::tools::TOOLS,
    managed::{quick, quiet_address},
};

/// A proxy that runs until it is dropped.
struct Program {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Program {
    /// Starts tinyproxy with these lines in its configuration.
    async fn tinyproxy(port: u16, lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tinyproxy.conf");
        let quiet = quiet_address();
        let config = format!("Port {port}\nListen {quiet}\nTimeout 600\n{lines}\n");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(TOOLS.tinyproxy());
        command.arg("-d").arg("-c").arg(file);
        Self::start(command, port, folder).await
    }

    /// Starts microsocks, with a name and password if there are some.
    async fn microsocks(login: &[&str]) -> Self {
        let port = free_port();
        let mut command = Command::new(TOOLS.microsocks());
        let address = quiet_address().to_string();
        command.args(["-i", &address, "-p", &port.to_string()]);
        command.args(login);
        Self::start(command, port, tempfile::tempdir().unwrap()).await
    }

    async fn start(mut command: Command, port: u16, folder: TempDir) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let listens = async {
            while TcpStream::connect((quiet_address(), port)).await.is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        soon(listens).await;
        Self {
            child,
            port,
            _folder: folder,
        }
    }

    fn proxy(&self, scheme_and_login: &str) -> Proxy {
        Proxy::parse(&format!(
            "{scheme_and_login}{}:{}",
            quiet_address(),
            self.port
        ))
        .unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = StdListener::bind((quiet_address(), 0)).unwrap();
    listener.local_addr().unwrap().port()
}

async fn through(proxy: Proxy, url: &str) -> Result<(), Error> {
    let connector = Connector::default().with_proxy(proxy);
    exchange(&connector, url).await
}

async fn exchange(connector: &Connector, url: &str) -> Result<(), Error> {
    let mut ws = soon(connector.connect(url)).await?;
    let big = Message::binary(vec![7; 1 << 20]);
    ws.send(big.clone()).await?;
    assert_eq!(soon(ws.recv()).await, Some(big));
    Ok(())
}

#[tokio::test]
async fn both_programs_carry_plain_websockets_and_those_under_tls() {
    let identity = Identity::for_names(&["localhost"]);
    let plain = Server::start(|_| Answer::Accept).await;
    let secure = Server::start_with(Some(identity.server()), |_| Answer::Accept).await;
    let http = Program::tinyproxy(free_port(), "").await;
    let socks = Program::microsocks(&[]).await;
    for proxy in [http.proxy("http://"), socks.proxy("socks5://")] {
        let connector = Connector::default().with_tls(identity.client());
        let connector = connector.with_proxy(proxy);
        exchange(&connector, &plain.url("/")).await.unwrap();
        let port = secure.address.port();
        let url = format!("wss://localhost:{port}/");
        exchange(&connector, &url).await.unwrap();
        let ws = soon(connector.connect(&url)).await.unwrap();
        assert_eq!(ws.with_stream(Stream::is_tls), Some(true));
    }
}

#[tokio::test]
async fn both_programs_want_the_right_name_and_password() {
    let server = Server::start(|_| Answer::Accept).await;
    let url = server.url("/");
    let http = Program::tinyproxy(free_port(), "BasicAuth me s3cret").await;
    through(http.proxy("http://me:s3cret@"), &url)
        .await
        .unwrap();
    for login in ["http://", "http://me:wrong@"] {
        let error = through(http.proxy(login), &url).await.unwrap_err();
        let Error::Proxy(error) = error else {
            panic!("{error:?}");
        };
        let ProxyError::Refused { refused, .. } = *error else {
            panic!("{error:?}");
        };
        let status = refused.response.status();
        assert!([401, 407].contains(&status), "{status}");
    }
    let socks = Program::microsocks(&["-u", "me", "-P", "s3cret"]).await;
    through(socks.proxy("socks5://me:s3cret@"), &url)
        .await
        .unwrap();
    let error = through(socks.proxy("socks5://me:wrong@"), &url).await;
    assert!(is_proxy_error(&error, |error| matches!(
        error,
        ProxyError::LoginRefused { .. }
    )));
    let error = through(socks.proxy("socks5://"), &url).await;
    assert!(is_proxy_error(&error, |error| matches!(
        error,
        ProxyError::LoginMethod { .. }
    )));
}

fn is_proxy_error(result: &Result<(), Error>, is_wanted: impl FnOnce(&ProxyError) -> bool) -> bool {
    matches!(result, Err(Error::Proxy(error)) if is_wanted(error))
}

#[tokio::test]
async fn a_port_that_is_not_allowed_and_one_without_a_server_are_told() {
    let server = Server::start(|_| Answer::Accept).await;
    let http = Program::tinyproxy(free_port(), "ConnectPort 443").await;
    let error = through(http.proxy("http://"), &server.url("/")).await;
    assert!(
        is_proxy_error(&error, |error| matches!(
            error,
            ProxyError::Refused { refused, .. } if refused.response.status() == 403
        )),
        "{error:?}"
    );
    let nobody = format!("ws://{}:{}/", quiet_address(), free_port());
    let http = Program::tinyproxy(free_port(), "").await;
    let error = through(http.proxy("http://"), &nobody).await;
    assert!(
        is_proxy_error(&error, |error| matches!(
            error,
            ProxyError::Refused { refused, .. } if refused.response.status() >= 500
        )),
        "{error:?}"
    );
    let socks = Program::microsocks(&[]).await;
    let error = through(socks.proxy("socks5://"), &nobody).await;
    assert!(
        is_proxy_error(&error, |error| matches!(
            error,
            ProxyError::Socks {
                reply: SocksReply::CONNECTION_REFUSED,
                ..
            }
        )),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_link_comes_back_when_its_proxy_does() {
    let server = Server::start(|_| Answer::Accept).await;
    let port = free_port();
    let program = Program::tinyproxy(port, "").await;
    let connector = Connector::default().with_proxy(program.proxy("http://"));
    let builder = Client::builder(&server.url("/")).unwrap();
    let builder = builder.with_connector(connector).with_policy(quick());
    let (client, events) = builder.start();
    let mut messages = events.messages();
    soon(client.opened()).await.unwrap();
    let mut states = client.states();
    drop(program);
    soon(states.wait_for(|state| matches!(state, ClientState::Waiting { .. }))).await;
    let kept = client.send("meanwhile");
    let _program = Program::tinyproxy(port, "").await;
    assert_eq!(soon(kept).await, DeliveryStatus::Sent);
    let echoed = soon(messages.recv()).await.unwrap();
    assert_eq!(echoed.as_text(), Some("meanwhile"));
}
