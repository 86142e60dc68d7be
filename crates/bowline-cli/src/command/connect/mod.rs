//! `bowline connect`: lines in become messages, messages become lines.

mod attempts;
mod dial;
mod expect;
mod form;
mod json_path;
mod link;
mod notices;
mod pipe;
mod printer;
mod record;
mod session;
mod show;
mod slash;
mod terminal;
mod watch;

use std::{
    cell::{Cell, RefCell},
    io::{self, IsTerminal},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bowline::{CloseCode, Connector, Endpoint};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

pub(super) use self::dial::connector;
pub(crate) use self::form::hex;
use self::{
    expect::Goals,
    form::Form,
    link::{Agreed, Incoming, News, Outgoing},
    notices::{Notices, Style},
    pipe::{LINE_LENGTH_MAX, Output},
    record::Recorder,
    session::{Ends, Inputs, Session, passed},
    show::{Reader, Show},
    terminal::Terminal,
    watch::Watch,
};
pub(crate) use self::{
    expect::{Expect, WaitFor},
    form::FormError,
};
use crate::{
    args::{ConnectArgs, ExchangeArgs},
    command::current_thread,
    exit::Failure,
    output::{line, status},
    signals::{stop_demanded, stop_requested},
};

/// Connects standard input and output to a WebSocket.
pub(crate) fn run(args: &ConnectArgs) -> Result<(), Failure> {
    let runtime = current_thread()?;
    let done = runtime.block_on(connect(args));
    // A thread may still wait for input or output that never comes.
    runtime.shutdown_background();
    if let (true, Err(failure)) = (args.exchange.show.json, &done) {
        tell_as_json(failure)?;
    }
    done
}

async fn connect(args: &ConnectArgs) -> Result<(), Failure> {
    let mut stop = pin!(stop_requested()?);
    let demanded = stop_demanded()?;
    let deadline = args.exchange.until.timeout;
    let deadline = deadline.and_then(|after| Some((Instant::now().checked_add(after)?, after)));
    let endpoint = Endpoint::parse(&args.url).map_err(bowline::Error::from)?;
    let mut desk = Desk::open(&args.exchange)?;
    let connector = watched(connector(&args.link)?, args, &desk.notices);
    let opened = tokio::select! {
        opened = open(&connector, &endpoint, &args.exchange, &desk) => opened?,
        () = &mut stop => return Ok(()),
        after = passed(deadline) => {
            return Err(Failure::TimedOut { after, missing: None });
        }
    };
    // Only now is anything read, so that no line gets lost when there is no connection.
    let (inputs, (output, written)) = desk.begin(args.link.network.max_message)?;
    let session = begin(&args.exchange, &desk, output, (&endpoint, &opened.agreed))?;
    session.announce(&opened.agreed).await?;
    let ends = Ends { stop, deadline };
    let session = async {
        let done = session.run(opened.link, inputs, ends).await;
        drop(session);
        finish_output(written).await.and(done)
    };
    let done = tokio::select! {
        done = session => done,
        () = demanded => Err(Failure::Interrupted),
    };
    desk.flush();
    done
}

/// A link that is open for the first time.
struct Opened {
    link: (Outgoing, Incoming),
    agreed: Agreed,
}

async fn open(
    connector: &Connector,
    endpoint: &Endpoint,
    args: &ExchangeArgs,
    desk: &Desk,
) -> Result<Opened, Failure> {
    if !args.reconnect {
        let (outgoing, incoming, agreed) = link::open_once(connector, endpoint).await?;
        let link = (outgoing, incoming);
        return Ok(Opened { link, agreed });
    }
    let (outgoing, mut incoming) =
        link::keep(connector.clone(), endpoint.clone(), &args.form.hello);
    loop {
        match incoming.next().await {
            Some(News::Open(agreed)) => {
                let link = (outgoing, incoming);
                return Ok(Opened { link, agreed });
            }
            Some(News::Failed(failure)) => {
                write_event(attempts::failed(&failure, &desk.notices, &desk.show))?;
            }
            Some(News::Waiting(time)) => {
                write_event(attempts::waiting(time, &desk.notices, &desk.show))?;
            }
            Some(_) => {}
            None => {
                incoming.check(CloseCode::NORMAL)?;
                return Err(Failure::Missed("it never was open".to_owned()));
            }
        }
    }
}

fn watched(mut connector: Connector, args: &ConnectArgs, notices: &Notices) -> Connector {
    if args.link.tls.dangerously_trust_anyone {
        notices.say(format_args!(
            "the certificate of the server is not checked: anyone on the way can read and change \
             everything"
        ));
    }
    if args.exchange.show.verbose > 0 {
        connector.wiretap = Some(Arc::new(Watch {
            notices: notices.clone(),
            with_frames: args.exchange.show.verbose > 1,
        }));
    }
    connector
}

fn begin<'a>(
    args: &'a ExchangeArgs,
    desk: &'a Desk,
    output: mpsc::Sender<Vec<u8>>,
    (endpoint, agreed): (&Endpoint, &Agreed),
) -> Result<Session<'a>, Failure> {
    let url = format!("{endpoint:?}");
    let subprotocol = agreed.subprotocol.as_deref();
    let recorder = Recorder::begin(args.record.as_deref(), &url, subprotocol)?;
    let until = &args.until;
    let goals = Goals::new(until.count, &until.expect, &until.wait_for);
    Ok(Session {
        args,
        show: &desk.show,
        notices: &desk.notices,
        output,
        is_interactive: io::stdin().is_terminal(),
        goals: RefCell::new(goals),
        recorder: RefCell::new(recorder),
        heard_at: Cell::new(Instant::now()),
        pinged_at: Cell::new(None),
        has_told_hex: Cell::new(false),
        is_sending: Cell::new(false),
        close_code: Cell::new(CloseCode::NORMAL),
        ended: RefCell::new(None),
    })
}

/// Where input comes from and output goes to.
struct Desk {
    terminal: Option<Terminal>,
    notices: Notices,
    show: Show,
    form: Form,
}

impl Desk {
    fn open(args: &ExchangeArgs) -> Result<Self, Failure> {
        let color = args.show.color;
        let terminal = Terminal::open(color)?;
        let notices = match &terminal {
            Some(terminal) if io::stderr().is_terminal() => terminal.notices(),
            Some(_) | None => Notices::to_stderr(color),
        };
        let style = Style::new(color, io::stdout().is_terminal());
        Ok(Self {
            show: Show::new(args, style, Reader::of_output(terminal.is_some())),
            terminal,
            notices,
            form: Form::new(&args.form),
        })
    }

    /// Begins to read and to write.
    fn begin(&mut self, message_max: Option<u64>) -> Result<(Inputs, Output), Failure> {
        if let Some(terminal) = &mut self.terminal {
            self.notices.say(format_args!(
                "each line you type is sent; /help lists commands, Ctrl-D closes"
            ));
            return Ok((terminal.read(self.form)?, terminal.write()?));
        }
        let line_length_max = LINE_LENGTH_MAX.max(message_max.unwrap_or(0));
        let inputs = pipe::read_lines(self.form, line_length_max)?;
        Ok((inputs, pipe::write_output()?))
    }

    fn flush(&self) {
        if let Some(terminal) = &self.terminal {
            terminal.flush();
        }
    }
}

/// Writes an event, before the session begins to write.
fn write_event(event: Option<Vec<u8>>) -> Result<(), Failure> {
    let Some(event) = event else { return Ok(()) };
    let event = String::from_utf8_lossy(&event);
    line(format_args!("{}", event.trim_end()))
}

/// Tells a failure to the program that reads the events.
fn tell_as_json(failure: &Failure) -> Result<(), Failure> {
    let event = serde_json::json!({
        "time": show::now(),
        "event": "failure",
        "exit_code": failure.number(),
        "message": failure.to_string(),
    });
    line(format_args!("{event}"))
}

/// Waits until everything is written, unless nobody reads it.
///
/// # Errors
/// [`Failure::System`] if it could not be written.
async fn finish_output(written: oneshot::Receiver<io::Result<()>>) -> Result<(), Failure> {
    tokio::select! {
        written = written => {
            written.unwrap_or(Ok(())).map_err(|source| Failure::System {
                what: "write to standard output",
                source,
            })
        }
        () = sleep(OUTPUT_TIMEOUT) => {
            status(format_args!(
                "bowline: standard output takes nothing; what is left is dropped"
            ));
            Ok(())
        }
    }
}

/// How long the last output may wait for its reader.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(30);
