//! How a link is made.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::Args as ClapArgs;

use super::value::{Cookie, Header, Login, Resolved, byte_count, positive_duration};

/// Options of commands that connect.
#[derive(Debug, ClapArgs)]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// What the opening handshake asks with.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestArgs {
    /// Add a header to the request; may be given more than once
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<Header>,
    /// Offer a subprotocol; may be given more than once, the most wanted first
    #[arg(long, value_name = "NAME")]
    pub(crate) subprotocol: Vec<String>,
    /// Name this origin, as a browser would
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
    /// Log in with a name and password: Basic, or Digest if the server wants that
    #[arg(
        long,
        value_name = "NAME:PASSWORD",
        env = "BOWLINE_USER",
        hide_env_values = true,
        conflicts_with = "bearer"
    )]
    pub(crate) user: Option<Login>,
    /// Log in with a bearer token
    #[arg(
        long,
        value_name = "TOKEN",
        env = "BOWLINE_BEARER",
        hide_env_values = true
    )]
    pub(crate) bearer: Option<String>,
    /// Send a cookie; may be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) cookie: Vec<Cookie>,
    /// Say which program this is
    #[arg(long, value_name = "TEXT")]
    pub(crate) user_agent: Option<String>,
    /// Do not offer compression
    #[arg(long)]
    pub(crate) no_deflate: bool,
}

/// How servers are checked.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// Trust the certificates in this PEM file, and no others
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Present this certificate, a chain in PEM, to servers that ask for one
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Ask for this name, and check the certificate against it, in place of the URL's
    #[arg(long, value_name = "NAME")]
    pub(crate) sni: Option<String>,
    /// Take any certificate of anyone: whoever is on the way can read and change everything,
    /// passwords too
    #[arg(long, conflicts_with = "ca")]
    pub(crate) dangerously_trust_anyone: bool,
}

/// How the server is reached, and what it may do.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Go through this proxy: http://, https:// or socks5://, with NAME:PASSWORD@ if it wants
    /// them. Without, the variables `HTTPS_PROXY`, `HTTP_PROXY`,
    /// `ALL_PROXY` and `NO_PROXY` are heeded
    #[arg(long, value_name = "URL", conflicts_with = "no_proxy")]
    pub(crate) proxy: Option<String>,
    /// Go through no proxy, whatever the environment says
    #[arg(long)]
    pub(crate) no_proxy: bool,
    /// Follow this many redirects. They never lead from wss:// to ws://, and secrets stay with the
    /// first server
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) follow: u8,
    /// Look for a host at this address; may be given more than once
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    pub(crate) resolve: Vec<Resolved>,
    /// Connect from this local address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Option<IpAddr>,
    /// Connect through this network interface
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// Give up when there is no connection after this time; without, after 30 s
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(crate) connect_timeout: Option<Duration>,
    /// Ping after this much silence, and give up after as much without an answer
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(crate) ping_interval: Option<Duration>,
    /// Refuse messages of more bytes, such as 64k or 16M; more than 16M is for lines that are sent
    /// too
    #[arg(long, value_name = "BYTES", value_parser = byte_count)]
    pub(crate) max_message: Option<u64>,
}
