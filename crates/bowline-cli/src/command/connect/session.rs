//! A session: what comes in goes out, until it is over.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bowline::{CloseCode, EndedBy, Ending, Message, proto::Close};
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until},
};

use super::{
    attempts,
    expect::Goals,
    link::{Agreed, Incoming, News, Outgoing},
    notices::Notices,
    pipe::Input,
    record::Recorder,
    show::Show,
};
use crate::{
    args::{AfterEof, ExchangeArgs, Heartbeat},
    conversation::{Way, What},
    exit::{Failure, InputError, check_ending, told},
};

/// One session, over one link.
pub(super) struct Session<'a> {
    pub(super) args: &'a ExchangeArgs,
    pub(super) show: &'a Show,
    pub(super) notices: &'a Notices,
    pub(super) output: mpsc::Sender<Vec<u8>>,
    pub(super) is_interactive: bool,
    pub(super) goals: RefCell<Goals>,
    pub(super) recorder: RefCell<Recorder>,
    /// When the last message arrived.
    pub(super) heard_at: Cell<Instant>,
    /// When the last ping that a person asked for was sent.
    pub(super) pinged_at: Cell<Option<Instant>>,
    /// Whether a message is being sent.
    pub(super) is_sending: Cell<bool>,
    /// What the connection is closed with.
    pub(super) close_code: Cell<CloseCode>,
    /// How the last connection ended.
    pub(super) ended: RefCell<Option<Ending>>,
    /// Whether it was told how binary messages are written.
    pub(super) has_told_hex: Cell<bool>,
}

/// Why nothing more is received.
#[derive(Debug)]
enum Done {
    /// The link is over.
    Over,
    /// Everything came that was waited for.
    Content,
    /// Nobody reads standard output any more.
    OutputClosed,
    /// The program was told to stop.
    Stopped,
    /// It took too long.
    TimedOut(Duration),
    /// Something else failed.
    Failed(Failure),
}

/// What ends a session from outside.
pub(super) struct Ends<F> {
    /// The program is told to stop.
    pub(super) stop: F,
    /// When the session has to be over, and how long that is after its start.
    pub(super) deadline: Option<(Instant, Duration)>,
}

/// Where input comes from.
pub(super) type Inputs = mpsc::Receiver<Result<Input, InputError>>;

impl Session<'_> {
    /// Sends and receives until it is over.
    pub(super) async fn run(
        &self,
        (mut outgoing, mut incoming): (Outgoing, Incoming),
        mut inputs: Inputs,
        ends: Ends<impl Future<Output = ()>>,
    ) -> Result<(), Failure> {
        let mut wrong_input = None;
        let done = {
            let mut sending = pin!(self.send_all(&mut outgoing, &mut inputs));
            let mut receiving = pin!(self.receive_all(&mut incoming));
            let mut stop = pin!(ends.stop);
            let mut is_sending = true;
            loop {
                tokio::select! {
                    done = &mut receiving => break done,
                    sent = &mut sending, if is_sending => {
                        is_sending = false;
                        wrong_input = sent.err();
                    }
                    () = &mut stop => break Done::Stopped,
                    after = passed(ends.deadline) => break Done::TimedOut(after),
                }
            }
        };
        if !matches!(done, Done::Over) {
            // A server that waits for its reader reads nothing, so both go on until the end.
            let drain = async { while incoming.next().await.is_some() {} };
            tokio::join!(outgoing.close(CloseCode::NORMAL, ""), drain);
        }
        if let Some(error) = wrong_input {
            return Err(error);
        }
        let lost = outgoing.lost() + self.left_over(&mut inputs);
        self.judge(done, &incoming, lost)
    }

    /// Counts the messages that were read and not sent.
    fn left_over(&self, inputs: &mut Inputs) -> usize {
        let mut count = usize::from(self.is_sending.get());
        while let Ok(input) = inputs.try_recv() {
            count += usize::from(matches!(input, Ok(Input::Message(_))));
        }
        count
    }

    fn judge(&self, done: Done, incoming: &Incoming, lost: usize) -> Result<(), Failure> {
        let missing = self.goals.borrow().missing();
        let is_over = match done {
            Done::Failed(failure) => return Err(failure),
            Done::TimedOut(after) => return Err(Failure::TimedOut { after, missing }),
            Done::Content => return Ok(()),
            Done::Over => true,
            Done::OutputClosed | Done::Stopped => false,
        };
        incoming.check(self.close_code.get())?;
        // A link that comes back ends as asked, whatever the server answered to its last close.
        let ended = self.ended.take();
        let closed = ended.filter(|ending| ending.is_clean() && ending.by == EndedBy::Local);
        check_ending(closed, self.close_code.get())?;
        if let Some(missing) = missing {
            return Err(Failure::Missed(missing));
        }
        let undelivered = Failure::Undelivered(lost);
        match (lost, is_over) {
            (0, _) => Ok(()),
            (_, true) => Err(undelivered),
            // It was to stop; what did not get through is told all the same.
            (_, false) => {
                self.notices.say(format_args!("{undelivered}"));
                Ok(())
            }
        }
    }

    /// Sends until the end of the input; then waits as asked and begins to close.
    async fn send_all(&self, outgoing: &mut Outgoing, inputs: &mut Inputs) -> Result<(), Failure> {
        let mut wrong = Ok(());
        let mut pulse = Pulse::new(self.args.form.heartbeat.as_ref());
        if !self.args.reconnect {
            for text in &self.args.form.hello {
                self.send(outgoing, Message::text(text.clone())).await?;
            }
        }
        loop {
            let input = tokio::select! {
                input = inputs.recv() => input,
                text = pulse.beat() => Some(Ok(Input::Message(Message::text(text)))),
            };
            let Some(input) = input else { break };
            match input {
                // How the connection ended is told by its receiving side.
                Ok(Input::Message(message)) => {
                    if !self.send(outgoing, message).await? {
                        return Ok(());
                    }
                }
                Ok(Input::Ping(payload)) => self.ping(outgoing, payload).await?,
                Ok(Input::Close(code, reason)) => {
                    self.note_close(Way::Out, code, &reason)?;
                    self.close_code.set(code);
                    outgoing.close(code, &reason).await;
                    return wrong;
                }
                Err(error) => wrong = Err(Failure::Input(error)),
            }
        }
        outgoing.settle().await;
        if wrong.is_ok() {
            let mut linger = pin!(self.linger());
            loop {
                tokio::select! {
                    () = &mut linger => break,
                    text = pulse.beat() => {
                        self.send(outgoing, Message::text(text)).await?;
                    }
                }
            }
        }
        self.note_close(Way::Out, CloseCode::NORMAL, "")?;
        outgoing.close(CloseCode::NORMAL, "").await;
        wrong
    }

    /// Sends a message; false if the connection is over.
    async fn send(&self, outgoing: &mut Outgoing, message: Message) -> Result<bool, Failure> {
        self.note(Way::Out, || what_of(&message))?;
        self.is_sending.set(true);
        if outgoing.send(message).await.is_err() {
            return Ok(false);
        }
        self.is_sending.set(false);
        Ok(true)
    }

    async fn ping(&self, outgoing: &mut Outgoing, payload: Vec<u8>) -> Result<(), Failure> {
        self.note(Way::Out, || What::Ping(payload.clone()))?;
        self.pinged_at.set(Some(Instant::now()));
        // How the connection ended is told by its receiving side.
        if let Ok(false) = outgoing.ping(&payload).await {
            let told = "with --reconnect pings are sent by themselves; -vv shows them";
            self.notices.say(format_args!("{told}"));
        }
        Ok(())
    }

    /// Waits after the end of the input.
    async fn linger(&self) {
        let default = if self.goals.borrow().are_set() {
            AfterEof::Wait
        } else {
            AfterEof::Close
        };
        match self.args.until.after_eof.unwrap_or(default) {
            AfterEof::Close => {}
            AfterEof::Wait => std::future::pending().await,
            AfterEof::For(time) => sleep(time).await,
            AfterEof::Idle(time) => {
                let from = Instant::now();
                let until = || self.heard_at.get().max(from) + time;
                while Instant::now() < until() {
                    sleep_until(until()).await;
                }
            }
        }
    }

    async fn receive_all(&self, incoming: &mut Incoming) -> Done {
        loop {
            let news = tokio::select! {
                news = incoming.next() => news,
                () = self.output.closed() => return Done::OutputClosed,
            };
            let Some(news) = news else {
                return Done::Over;
            };
            match self.take(news).await {
                Ok(None) => {}
                Ok(Some(done)) => return done,
                Err(failure) => return Done::Failed(failure),
            }
        }
    }

    async fn take(&self, news: News) -> Result<Option<Done>, Failure> {
        match news {
            News::Message(message) => return self.take_message(&message).await,
            News::Ping(payload) => {
                self.note(Way::In, || What::Ping(payload.to_vec()))?;
                self.say_if_asked(format_args!("ping from the server"));
                self.write_event("ping", [("data", base64(&payload))]).await;
            }
            News::Pong {
                payload,
                round_trip,
            } => {
                self.note(Way::In, || What::Pong(payload.to_vec()))?;
                self.take_pong(&payload, round_trip).await;
            }
            News::Close(close) => {
                let close = close.as_ref();
                self.note(Way::In, || what_of_close(close))?;
            }
            News::Open(agreed) => self.announce(&agreed).await?,
            News::Down(ending) => self.take_ending(&ending).await,
            News::Failed(failure) => {
                let event = attempts::failed(&failure, self.notices, self.show);
                self.write(event).await;
            }
            News::Waiting(time) => {
                let event = attempts::waiting(time, self.notices, self.show);
                self.write(event).await;
            }
        }
        Ok(None)
    }

    async fn take_message(&self, message: &Message) -> Result<Option<Done>, Failure> {
        self.heard_at.set(Instant::now());
        self.note(Way::In, || what_of(message))?;
        let is_odd = matches!(message, Message::Binary(_)) && self.show.is_hex_by_default();
        if is_odd && !self.has_told_hex.replace(true) {
            self.notices.say(format_args!(
                "binary messages are written in hex; --binary writes them as they are"
            ));
        }
        if self.output.send(self.show.message(message)).await.is_err() {
            return Ok(Some(Done::OutputClosed));
        }
        let is_content = self.goals.borrow_mut().meet(message);
        if is_content {
            self.note_close(Way::Out, CloseCode::NORMAL, "")?;
        }
        Ok(is_content.then_some(Done::Content))
    }

    async fn take_pong(&self, payload: &[u8], round_trip: Option<Duration>) {
        let asked = self.pinged_at.take().map(|at| at.elapsed());
        let millis = round_trip
            .or(asked)
            .map(|time| (time.as_secs_f64() * 1e6).round() / 1e3);
        let after = millis.map_or_else(String::new, |millis| format!(" after {millis} ms"));
        if asked.is_some() {
            self.notices.say(format_args!("pong{after}"));
        } else {
            self.say_if_asked(format_args!("pong{after}"));
        }
        let members = [("data", base64(payload)), ("round_trip_ms", millis.into())];
        self.write_event("pong", members).await;
    }

    async fn take_ending(&self, ending: &Ending) {
        self.ended.replace(Some(ending.clone()));
        if self.args.reconnect {
            let told = told(ending);
            self.notices.say(format_args!("the link ended: {told}"));
        } else if self.is_interactive {
            self.notices.say(format_args!("{}", told(ending)));
        }
        let members = [
            ("code", ending.code.0.into()),
            ("reason", Value::from(&*ending.reason)),
            ("clean", ending.is_clean().into()),
            ("cause", ending.cause.to_string().into()),
        ];
        self.write_event("close", members).await;
    }

    /// Says what was agreed, to those who asked or who sit at a terminal.
    pub(super) async fn announce(&self, agreed: &Agreed) -> Result<(), Failure> {
        let subprotocol = agreed.subprotocol.as_deref();
        if self.args.show.verbose > 0 || self.is_interactive || self.args.reconnect {
            let subprotocol = subprotocol
                .map(|name| format!(", subprotocol {name}"))
                .unwrap_or_default();
            let compressed = if agreed.is_compressed {
                ", compressed"
            } else {
                ""
            };
            self.notices
                .say(format_args!("connected{subprotocol}{compressed}"));
        }
        let members = [
            ("subprotocol", subprotocol.into()),
            ("compressed", agreed.is_compressed.into()),
        ];
        self.write_event("open", members).await;
        if self.args.reconnect {
            // The link has said hello already.
            for text in &self.args.form.hello {
                self.note(Way::Out, || What::Text(text.clone()))?;
            }
        }
        Ok(())
    }

    async fn write_event<const N: usize>(&self, event: &str, members: [(&str, Value); N]) {
        self.write(self.show.event(event, members)).await;
    }

    async fn write(&self, event: Option<Vec<u8>>) {
        if let Some(line) = event {
            // Whoever receives notices that nobody reads any more.
            drop(self.output.send(line).await);
        }
    }

    fn say_if_asked(&self, line: std::fmt::Arguments<'_>) {
        if self.args.show.verbose > 0 {
            self.notices.say(line);
        }
    }

    fn note(&self, way: Way, what: impl FnOnce() -> What) -> Result<(), Failure> {
        self.recorder.borrow_mut().note(way, what)
    }

    fn note_close(&self, way: Way, code: CloseCode, reason: &str) -> Result<(), Failure> {
        let code = Some(code.0);
        let reason = reason.to_owned();
        self.note(way, || What::Close { code, reason })
    }
}

/// When the heartbeat is sent.
struct Pulse(Option<(Interval, String)>);

impl Pulse {
    fn new(heartbeat: Option<&Heartbeat>) -> Self {
        Self(heartbeat.map(|heartbeat| {
            let interval = heartbeat.interval;
            let mut ticks = interval_at(Instant::now() + interval, interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            (ticks, heartbeat.text.clone())
        }))
    }

    /// Waits until it is time, and gives the text; for ever if there is none. Cancel-safe.
    async fn beat(&mut self) -> String {
        match &mut self.0 {
            Some((ticks, text)) => {
                ticks.tick().await;
                text.clone()
            }
            None => std::future::pending().await,
        }
    }
}

fn what_of(message: &Message) -> What {
    match message {
        Message::Text(text) => What::Text(text.as_str().to_owned()),
        Message::Binary(payload) => What::Binary(payload.to_vec()),
    }
}

fn what_of_close(close: Option<&Close>) -> What {
    What::Close {
        code: close.map(|close| close.code().0),
        reason: close.map(Close::reason).unwrap_or_default().to_owned(),
    }
}

fn base64(payload: &[u8]) -> Value {
    BASE64_STANDARD.encode(payload).into()
}

/// Waits for a deadline, if there is one.
pub(super) async fn passed(deadline: Option<(Instant, Duration)>) -> Duration {
    match deadline {
        Some((at, after)) => {
            sleep_until(at).await;
            after
        }
        None => std::future::pending().await,
    }
}
