//! `bowline connect`: lines in become messages, messages become lines.

use std::{
    io::{self, IsTerminal},
    path::Path,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bowline::{
    ClientTls, CloseCode, Config, Connector, DeflateNegotiation, Keepalive, Message, Options,
    Receiver, Sender, WebSocket,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use crate::{
    args::{ConnectArgs, Wait},
    command::{current_thread, pipe},
    exit::{Failure, InputError, check_ending, printable},
    output::status,
    signals::stop_requested,
};

/// Connects standard input and output to a WebSocket.
pub(crate) fn run(args: ConnectArgs) -> Result<(), Failure> {
    let runtime = current_thread()?;
    let done = runtime.block_on(connect(args));
    // A thread may still wait for input or output that never comes.
    runtime.shutdown_background();
    done
}

/// Gives the trust in the certificates of a file; `None` for what the system trusts.
pub(crate) fn trust(roots: Option<&Path>) -> Result<Option<ClientTls>, Failure> {
    Ok(roots.map(ClientTls::with_roots_file).transpose()?)
}

async fn connect(args: ConnectArgs) -> Result<(), Failure> {
    let stop = stop_requested()?;
    let mut stop = pin!(stop);
    let connector = connector(&args)?;
    let connected = tokio::select! {
        connected = connector.connect(&args.url) => connected,
        () = &mut stop => return Ok(()),
    };
    let ws = connected.map_err(|error| {
        if let (true, bowline::Error::Refused(refused)) = (args.verbose, &error) {
            show_response(&refused.response);
        }
        Failure::Connect {
            url: args.url.clone(),
            error,
        }
    })?;
    announce(&ws, &args);
    // Only now is anything read, so that no line gets lost when there is no connection.
    let lines = pipe::read_lines(args.binary)?;
    let (output, written) = pipe::write_output()?;
    let (mut sender, mut receiver) = ws.split();
    let done = exchange(&mut sender, &mut receiver, lines, &output, (&args, stop)).await;
    drop(output);
    finish_output(written).await;
    done
}

fn connector(args: &ConnectArgs) -> Result<Connector, Failure> {
    let keepalive = args.ping_interval.map(|interval| Keepalive {
        interval,
        timeout: interval,
    });
    let deflate = if args.no_deflate {
        DeflateNegotiation::DISABLED
    } else {
        DeflateNegotiation::default()
    };
    let mut connector = Connector {
        options: Options {
            config: Arc::new(Config {
                keepalive,
                ..Config::default()
            }),
            deflate,
            ..Options::default()
        },
        tls: trust(args.ca.as_deref())?,
        subprotocols: args.subprotocol.clone(),
        origin: args.origin.clone(),
        ..Connector::default()
    };
    for header in &args.header {
        connector = connector.with_header(&header.name, &header.value);
    }
    Ok(connector)
}

/// Says what was agreed, to those who asked or who sit at a terminal.
fn announce(ws: &WebSocket, args: &ConnectArgs) {
    if let (true, Some(response)) = (args.verbose, ws.response()) {
        show_response(response);
    }
    if args.verbose || io::stdin().is_terminal() {
        let subprotocol = ws
            .subprotocol()
            .map(|name| format!(", subprotocol {name}"))
            .unwrap_or_default();
        let compressed = if ws.is_compressed() {
            ", compressed"
        } else {
            ""
        };
        status(format_args!("connected{subprotocol}{compressed}"));
    }
    if io::stdin().is_terminal() {
        status(format_args!(
            "each line you type is sent; Ctrl-D or Ctrl-C closes"
        ));
    }
}

fn show_response(response: &bowline::proto::handshake::ResponseHead) {
    let head = String::from_utf8_lossy(response.as_bytes());
    for line in head.lines().filter(|line| !line.is_empty()) {
        status(format_args!("< {}", printable(line)));
    }
}

/// Sends and receives until the connection is over.
async fn exchange(
    sender: &mut Sender,
    receiver: &mut Receiver,
    lines: mpsc::Receiver<Result<Message, InputError>>,
    output: &mpsc::Sender<Vec<u8>>,
    (args, stop): (&ConnectArgs, impl Future<Output = ()>),
) -> Result<(), Failure> {
    let mut wrong_input = None;
    let printed = {
        let mut sending = pin!(send_lines(sender, lines, args.wait));
        let mut printing = pin!(print_messages(receiver, output, args.binary));
        let mut stop = pin!(stop);
        let mut is_sending = true;
        loop {
            tokio::select! {
                printed = &mut printing => break printed,
                sent = &mut sending, if is_sending => {
                    is_sending = false;
                    wrong_input = sent.err();
                }
                () = &mut stop => break Printed::Stopped,
            }
        }
    };
    if printed != Printed::AllReceived {
        // An error says that the connection is closing already.
        drop(sender.close(CloseCode::NORMAL, "").await);
        while receiver.recv().await.is_some() {}
    }
    match wrong_input {
        Some(error) => Err(error),
        None => check_ending(receiver.ending()),
    }
}

/// Sends lines until the end of the input; then waits as asked and begins to close.
async fn send_lines(
    sender: &mut Sender,
    mut lines: mpsc::Receiver<Result<Message, InputError>>,
    wait: Wait,
) -> Result<(), Failure> {
    let mut wrong = Ok(());
    while let Some(line) = lines.recv().await {
        match line {
            // How the connection ended is told by its receiving side.
            Ok(message) => {
                if sender.send(message).await.is_err() {
                    return Ok(());
                }
            }
            Err(error) => wrong = Err(Failure::Input(error)),
        }
    }
    match wait {
        Wait::For(time) if wrong.is_ok() => sleep(time).await,
        Wait::Forever if wrong.is_ok() => std::future::pending().await,
        Wait::For(_) | Wait::Forever => {}
    }
    drop(sender.close(CloseCode::NORMAL, "").await);
    wrong
}

/// Why nothing more is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Printed {
    /// The connection is over.
    AllReceived,
    /// Nobody reads standard output any more.
    OutputClosed,
    /// The program was told to stop.
    Stopped,
}

async fn print_messages(
    receiver: &mut Receiver,
    output: &mpsc::Sender<Vec<u8>>,
    binary: bool,
) -> Printed {
    let mut told = binary;
    loop {
        let message = tokio::select! {
            message = receiver.recv() => message,
            () = output.closed() => return Printed::OutputClosed,
        };
        let Some(message) = message else {
            return Printed::AllReceived;
        };
        let bytes = match &message {
            Message::Text(text) => as_line(text.as_payload()),
            Message::Binary(payload) if binary => payload.to_vec(),
            Message::Binary(payload) => {
                if !std::mem::replace(&mut told, true) {
                    status(format_args!(
                        "binary messages are written in hex; --binary writes them as they are"
                    ));
                }
                as_line(hex(payload).as_bytes())
            }
        };
        if output.send(bytes).await.is_err() {
            return Printed::OutputClosed;
        }
    }
}

/// Ends a text with one line feed; one that has its own keeps it.
fn as_line(text: &[u8]) -> Vec<u8> {
    let mut line = text.to_vec();
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    line
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

/// Waits until everything is written, unless nobody reads it.
async fn finish_output(written: oneshot::Receiver<()>) {
    tokio::select! {
        _ = written => {}
        () = sleep(OUTPUT_TIMEOUT) => status(format_args!(
            "bowline: standard output takes nothing; what is left is dropped"
        )),
    }
}

/// How long the last output may wait for its reader.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(30);
