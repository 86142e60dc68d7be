//! From the command line to a connector.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bowline::{
    ClientTls, Config, Connector, Credentials, DeflateNegotiation, Keepalive, Options, Proxy,
    ProxyChoice, Resolver, TcpOptions, Timeouts,
};
use futures_util::future::BoxFuture;

use crate::{
    args::{LinkArgs, NetworkArgs, RequestArgs, Resolved, TlsArgs},
    exit::Failure,
};

/// Makes a connector that does what the command line says.
pub(crate) fn connector(args: &LinkArgs) -> Result<Connector, Failure> {
    let LinkArgs {
        request,
        tls,
        network,
    } = args;
    let mut connector = Connector {
        options: options(request, network),
        tls: client_tls(tls)?,
        timeouts: timeouts(network.connect_timeout),
        subprotocols: request.subprotocol.clone(),
        origin: request.origin.clone(),
        user_agent: request.user_agent.clone(),
        credentials: credentials(request),
        redirect_count_max: network.follow.into(),
        proxy: proxy(network)?,
        tcp: TcpOptions {
            bind_address: network.bind,
            bind_interface: network.interface.clone(),
            ..TcpOptions::default()
        },
        resolver: resolver(&network.resolve),
        ..Connector::default()
    };
    for header in &request.header {
        if header.name.eq_ignore_ascii_case("host") {
            connector.host = Some(header.value.clone());
        } else {
            connector = connector.with_header(&header.name, &header.value);
        }
    }
    for cookie in &request.cookie {
        connector = connector.with_cookie(&cookie.name, &cookie.value);
    }
    Ok(connector)
}

fn options(request: &RequestArgs, network: &NetworkArgs) -> Options {
    let mut config = Config {
        keepalive: network.ping_interval.map(|interval| Keepalive {
            interval,
            timeout: interval,
        }),
        ..Config::default()
    };
    if let Some(max) = network.max_message {
        config.limits.message_size_max = max;
        config.limits.frame_size_max = max;
    }
    Options {
        config: Arc::new(config),
        deflate: if request.no_deflate {
            DeflateNegotiation::DISABLED
        } else {
            DeflateNegotiation::default()
        },
        ..Options::default()
    }
}

fn client_tls(args: &TlsArgs) -> Result<Option<ClientTls>, Failure> {
    let is_plain = args.ca.is_none()
        && args.cert.is_none()
        && args.sni.is_none()
        && !args.dangerously_trust_anyone;
    if is_plain {
        return Ok(None);
    }
    let mut builder = ClientTls::builder();
    if let Some(roots) = &args.ca {
        builder = builder.only_roots_file(roots)?;
    }
    if let (Some(chain), Some(key)) = (&args.cert, &args.key) {
        builder = builder.client_certificate_files(chain, key)?;
    }
    if let Some(name) = &args.sni {
        builder = builder.server_name(name)?;
    }
    if args.dangerously_trust_anyone {
        builder = builder.dangerously_without_verification();
    }
    Ok(Some(builder.build()?))
}

/// Without a time of the user's own, the defaults; with one, no phase is given up before it.
fn timeouts(connect: Option<Duration>) -> Timeouts {
    connect.map_or_else(Timeouts::default, |time| Timeouts {
        credentials: time,
        resolve: time,
        connect: time,
        proxy: time,
        tls: time,
        handshake: time,
        total: time,
    })
}

fn credentials(args: &RequestArgs) -> Credentials {
    if let Some(login) = &args.user {
        return Credentials::basic(&login.name, &login.password);
    }
    match &args.bearer {
        Some(token) => {
            let token = token.clone();
            Credentials::bearer(move |_| std::future::ready(Ok::<_, io::Error>(token.clone())))
        }
        None => Credentials::default(),
    }
}

fn proxy(args: &NetworkArgs) -> Result<ProxyChoice, Failure> {
    match &args.proxy {
        Some(url) => {
            let proxy = Proxy::parse(url).map_err(bowline::Error::from)?;
            Ok(proxy.into())
        }
        None if args.no_proxy => Ok(ProxyChoice::Direct),
        None => Ok(ProxyChoice::Environment),
    }
}

fn resolver(known: &[Resolved]) -> Option<Arc<dyn Resolver>> {
    (!known.is_empty()).then(|| Arc::new(KnownHosts(known.to_vec())) as Arc<dyn Resolver>)
}

/// Knows where some hosts are, and asks the system about others.
#[derive(Debug)]
struct KnownHosts(Vec<Resolved>);

impl Resolver for KnownHosts {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            let known = self
                .0
                .iter()
                .filter(|known| known.host == host && known.port == port);
            let known: Vec<_> = known
                .map(|known| SocketAddr::new(known.address, port))
                .collect();
            if !known.is_empty() {
                return Ok(known);
            }
            Ok(tokio::net::lookup_host((host, port)).await?.collect())
        })
    }
}
