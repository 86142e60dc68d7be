//! `peer <library>`: a server on one thread, written the plain way the library's manual shows.
//!
//! It listens on a free port of the loopback interface and prints its address.

mod bowline;
mod deflate;
mod fanout;
mod hyper_peers;
mod stream_peers;
mod tls;

use std::{io::Write, net::SocketAddr};

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

/// What went wrong; every library has errors of its own.
type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome {
    let name = std::env::args().nth(1).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = listen()?;
        match name.as_str() {
            // These set `TCP_NODELAY` themselves.
            "bowline" => serve(listener, bowline::plain, false).await,
            "bowline-leave" => serve(listener, bowline::leave, false).await,
            "bowline-split" => serve(listener, bowline::split, false).await,
            "bowline-kept" => bowline::kept(listener).await,
            "bowline-group" => bowline::group(listener).await,
            "bowline-fanout" => bowline::fanout(listener).await,
            "tungstenite" => serve(listener, stream_peers::tungstenite, true).await,
            "tungstenite-fanout" => fanout::tungstenite(listener).await,
            "tokio-websockets" => serve(listener, stream_peers::tokio_websockets, true).await,
            "sockudo-ws" => serve(listener, stream_peers::sockudo, true).await,
            "soketto" => serve(listener, stream_peers::soketto, true).await,
            "fastwebsockets" => serve(listener, hyper_peers::fastwebsockets, true).await,
            "yawc" => serve(listener, hyper_peers::yawc, true).await,
            "tokio" => serve(listener, stream_peers::bare, true).await,
            name if name.ends_with("-tls") => tls::serve(listener, name, files()?).await,
            name => compressing(listener, name).await,
        }
    })
}

/// Serves with permessage-deflate: `<library>-<mode>`.
async fn compressing(listener: TcpListener, name: &str) -> Outcome {
    use deflate::{Fanout, Mode, Pool};

    let unknown = || format!("no such library: {name:?}");
    let (library, mode) = name.rsplit_once('-').ok_or_else(unknown)?;
    let mode = match mode {
        "off" => Mode::Off,
        "deflate" => Mode::Deflate,
        "takeover" => Mode::Takeover,
        _ => return Err(unknown().into()),
    };
    match library {
        "bowline" | "bowline-warm" => {
            let pool = match library {
                "bowline-warm" => Pool::Many,
                _ => Pool::Default,
            };
            serve(
                listener,
                |stream| deflate::bowline(stream, mode, pool),
                false,
            )
            .await
        }
        "bowline-fanout" => deflate::bowline_fanout(listener, mode, Fanout::Once).await,
        "bowline-each" => deflate::bowline_fanout(listener, mode, Fanout::EachAnew).await,
        "yawc" => serve(listener, |stream| deflate::yawc(stream, mode), true).await,
        "sockudo-ws" => serve(listener, |stream| deflate::sockudo(stream, mode), true).await,
        _ => Err(unknown().into()),
    }
}

/// Gives where the certificate is and where its key is.
fn files() -> Result<[String; 2], &'static str> {
    let mut words = std::env::args().skip(2);
    words
        .next()
        .zip(words.next())
        .map(|(one, other)| [one, other])
        .ok_or("two files are needed")
}

/// Listens with a queue long enough for every scenario, and says where.
fn listen() -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(4096)?;
    let listener = TcpListener::from_std(socket.into())?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", listener.local_addr()?)?;
    out.flush()?;
    Ok(listener)
}

/// Gives each connection a task of its own.
async fn serve<F>(
    listener: TcpListener,
    one: impl Fn(TcpStream) -> F,
    sets_nodelay: bool,
) -> Outcome
where
    F: Future<Output = Outcome> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        if sets_nodelay {
            stream.set_nodelay(true)?;
        }
        tokio::spawn(one(stream));
    }
}
