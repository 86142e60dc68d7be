//! `bowline replay`: a recorded conversation, played again.

mod inbox;
mod player;
mod report;

use std::{fs::File, io::BufReader, net::SocketAddr, path::Path, pin::pin, sync::Arc};

use bowline::{Acceptor, Request, Transport, WebSocket};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use self::{
    player::{Pace, Player},
    report::Report,
};
use crate::{
    args::ReplayArgs,
    command::{connect::connector, current_thread},
    conversation::{ConversationError, Heading, Reader, Way},
    exit::Failure,
    output::{line, status},
    signals::stop_requested,
};

/// Plays a recorded conversation.
pub(crate) fn run(args: ReplayArgs) -> Result<(), Failure> {
    let heading = check(&args.file)?;
    current_thread()?.block_on(async {
        match (args.listen, &args.connect) {
            (Some(address), _) => serve(address, args, heading).await,
            (None, Some(url)) => call(url, &args, &heading).await,
            (None, None) => Ok(()),
        }
    })
}

/// Opens a recording.
fn open(path: &Path) -> Result<Reader<BufReader<File>>, Failure> {
    let file = File::open(path).map_err(|source| Failure::Access {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    Reader::new(BufReader::new(file)).map_err(wrong(path))
}

fn wrong(path: &Path) -> impl FnOnce(ConversationError) -> Failure {
    move |error| Failure::Conversation {
        path: path.to_owned(),
        error,
    }
}

/// Reads all of a recording, so that what is wrong with it shows before anybody is called.
fn check(path: &Path) -> Result<Heading, Failure> {
    let mut reader = open(path)?;
    loop {
        if reader.read().map_err(wrong(path))?.is_none() {
            return Ok(reader.heading().clone());
        }
    }
}

/// Plays the client.
async fn call(url: &str, args: &ReplayArgs, heading: &Heading) -> Result<(), Failure> {
    let mut stop = pin!(stop_requested()?);
    let mut connector = connector(&args.link)?;
    if connector.subprotocols.is_empty() {
        connector.subprotocols.extend(heading.subprotocol.clone());
    }
    let playing = async {
        let ws = connector.connect(url).await;
        let ws = ws.map_err(|error| Failure::Connect {
            url: url.to_owned(),
            error,
        })?;
        play(ws, args, Way::Out).await
    };
    let report = tokio::select! {
        report = playing => report?,
        () = &mut stop => return Ok(()),
    };
    conclude(&report)
}

/// Plays the server until it is stopped, or once.
async fn serve(address: SocketAddr, args: ReplayArgs, heading: Heading) -> Result<(), Failure> {
    let mut stop = pin!(stop_requested()?);
    let failed = |source| Failure::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    line(format_args!("listening on ws://{address}/"))?;
    let (args, heading) = (Arc::new(args), Arc::new(heading));
    let mut playing = JoinSet::new();
    let mut total = Report::default();
    loop {
        tokio::select! {
            accepted = listener.accept(), if playing.len() < CONNECTIONS_MAX => {
                // A client that is gone already, or a want of descriptors that passes.
                let Ok((stream, _)) = accepted else {
                    tokio::task::yield_now().await;
                    continue;
                };
                playing.spawn(answer(stream, Arc::clone(&args), Arc::clone(&heading)));
            }
            Some(played) = playing.join_next() => {
                let played = played.map_err(|_| Failure::Panic)?;
                match played {
                    Ok(report) => {
                        status(format_args!("{report}"));
                        total.add(&report);
                    }
                    Err(failure) if args.once => return Err(failure),
                    Err(failure) => status(format_args!("bowline: {failure}")),
                }
                if args.once {
                    break;
                }
            }
            () = &mut stop => break,
        }
    }
    total.check()
}

async fn answer(
    stream: TcpStream,
    args: Arc<ReplayArgs>,
    heading: Arc<Heading>,
) -> Result<Report, Failure> {
    let acceptor = Acceptor::default();
    let Request::WebSocket(offer) = acceptor.read_request(stream).await? else {
        return Err(bowline::Error::NotWebSocket.into());
    };
    let subprotocol = heading.subprotocol.as_deref();
    let subprotocol = subprotocol.filter(|name| offer.subprotocols().any(|other| other == *name));
    let offer = match subprotocol {
        Some(name) => {
            let name = name.to_owned();
            offer.with_subprotocol(&name)
        }
        None => offer,
    };
    let ws = offer.accept().await?;
    play(ws, &args, Way::In).await
}

/// Plays one side; `mine` is the way that its messages go.
async fn play<S: Transport>(
    ws: WebSocket<S>,
    args: &ReplayArgs,
    mine: Way,
) -> Result<Report, Failure> {
    let reader = open(&args.file)?;
    let pace = if args.no_wait {
        Pace::AtOnce
    } else {
        Pace::Times(args.speed)
    };
    let player = Player {
        mine,
        pace,
        timeout: args.timeout,
    };
    let report = player.play(ws, reader).await;
    report.map_err(|error| match error {
        player::PlayError::Recording(error) => wrong(&args.file)(error),
        player::PlayError::Output(failure) => failure,
    })
}

fn conclude(report: &Report) -> Result<(), Failure> {
    status(format_args!("{report}"));
    report.check()
}

/// Connections that are played to at the same time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 256;
