//! One side of a recorded conversation.

use std::{io::BufRead, time::Duration};

use bowline::{CloseCode, Message, Sender, Transport, WebSocket};
use tokio::time::{Instant, sleep_until};

use super::{
    inbox::{Inbox, Next},
    report::Report,
};
use crate::{
    conversation::{ConversationError, Entry, Reader, Way, What},
    exit::{Failure, printable, told},
    output::line,
};

/// Plays one side of a conversation, and compares the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Player {
    /// The way that the messages of this side go.
    pub(super) mine: Way,
    pub(super) pace: Pace,
    /// How long a recorded message is waited for.
    pub(super) timeout: Duration,
}

/// How fast a conversation is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pace {
    /// Without pauses.
    AtOnce,
    /// So many times as fast as recorded.
    Times(f64),
}

/// Says why a conversation was not played to its end.
#[derive(Debug)]
pub(super) enum PlayError {
    Recording(ConversationError),
    Output(Failure),
}

impl Player {
    /// Plays until the end of the recording, or of the connection.
    ///
    /// What this side sends follows what was recorded before it, after the recorded pause. What
    /// arrives is compared in its order, however early it comes.
    pub(super) async fn play<S: Transport>(
        self,
        ws: WebSocket<S>,
        mut reader: Reader<impl BufRead>,
    ) -> Result<Report, PlayError> {
        let (sender, receiver) = ws.split();
        let mut game = Game {
            player: self,
            sender,
            inbox: Inbox::new(receiver),
            report: Report::default(),
            now: (Instant::now(), Duration::ZERO),
            close: None,
        };
        while let Some(entry) = reader.read().map_err(PlayError::Recording)? {
            let goes_on = game.step(&entry, reader.line()).await;
            if !goes_on.map_err(PlayError::Output)? {
                break;
            }
        }
        game.finish().await.map_err(PlayError::Output)
    }
}

/// A conversation that is being played.
struct Game<S> {
    player: Player,
    sender: Sender<S>,
    inbox: Inbox<S>,
    report: Report,
    /// When the last thing happened, and when it did in the recording.
    now: (Instant, Duration),
    /// The close of the other side, and its line. It is expected last: what was recorded after it
    /// was on its way already.
    close: Option<(Option<u16>, u64)>,
}

impl<S: Transport> Game<S> {
    /// Plays one line; false when the connection is over.
    async fn step(&mut self, entry: &Entry, line: u64) -> Result<bool, Failure> {
        let goes_on = match (&entry.what, entry.way == self.player.mine) {
            // Pongs are sent by themselves, and pings are no part of what was said.
            (What::Pong(_), _) | (What::Ping(_), false) => true,
            // The other side has asked for the answer to its close already.
            (What::Close { .. }, true) if self.close.is_some() => true,
            (_, true) => {
                self.pause(entry.at).await;
                self.send(&entry.what, line).await?
            }
            (What::Text(_) | What::Binary(_), false) => self.expect(&entry.what, line).await?,
            (What::Close { code, .. }, false) => {
                self.close = Some((*code, line));
                true
            }
        };
        self.now = (Instant::now(), entry.at);
        Ok(goes_on)
    }

    async fn pause(&mut self, at: Duration) {
        let Pace::Times(speed) = self.player.pace else {
            return;
        };
        let (now, then) = self.now;
        let due = now + at.saturating_sub(then).div_f64(speed);
        if self.close.is_some() {
            // Receiving the close would answer it at once.
            sleep_until(due).await;
        } else {
            self.inbox.during(sleep_until(due)).await;
        }
    }

    /// Sends something of this side; false if the connection is over.
    async fn send(&mut self, what: &What, line: u64) -> Result<bool, Failure> {
        let sender = &mut self.sender;
        let sending = async {
            match what {
                What::Text(text) => sender.send(Message::text(text.clone())).await,
                What::Binary(data) => sender.send(Message::binary(data.clone())).await,
                What::Ping(data) => sender.ping(data).await,
                What::Pong(_) => Ok(()),
                What::Close { code, reason } => {
                    let code = code.map_or(CloseCode::NO_STATUS, CloseCode);
                    sender.close(code, reason).await
                }
            }
        };
        let sent = self.inbox.during(sending).await;
        // Whose close came first does not matter.
        if sent.is_ok() || matches!(what, What::Close { .. }) {
            return Ok(true);
        }
        let what = shown_what(what);
        self.differ(
            line,
            &format!("the connection was over before {what} was sent"),
        )?;
        Ok(false)
    }

    async fn expect(&mut self, wanted: &What, line: u64) -> Result<bool, Failure> {
        let until = Instant::now() + self.player.timeout;
        match self.inbox.next(until).await {
            Next::Message(message) if is_same(wanted, &message) => {
                self.report.alike += 1;
                Ok(true)
            }
            Next::Message(message) => {
                let got = shown(&message);
                self.differ(line, &format!("expected {}, got {got}", shown_what(wanted)))?;
                Ok(true)
            }
            Next::Nothing => {
                let seconds = self.player.timeout.as_secs_f64();
                let wanted = shown_what(wanted);
                self.differ(
                    line,
                    &format!("expected {wanted}, got nothing for {seconds} s"),
                )?;
                Ok(true)
            }
            Next::Ended(ending) => {
                let how = ending.as_ref().map(told).unwrap_or_default();
                let wanted = shown_what(wanted);
                self.differ(line, &format!("expected {wanted}, got the end: {how}"))?;
                Ok(false)
            }
        }
    }

    async fn expect_end(&mut self, code: Option<u16>, line: u64) -> Result<(), Failure> {
        let wanted = code.map_or(CloseCode::NO_STATUS, CloseCode);
        let until = Instant::now() + self.player.timeout;
        loop {
            match self.inbox.next(until).await {
                Next::Ended(Some(ending)) if ending.is_clean() && ending.code == wanted => {}
                Next::Ended(ending) => {
                    let how = ending.as_ref().map(told).unwrap_or_default();
                    self.differ(line, &format!("expected a close with {wanted}, got: {how}"))?;
                }
                Next::Message(message) => {
                    self.unrecorded(&message)?;
                    continue;
                }
                Next::Nothing => {
                    let seconds = self.player.timeout.as_secs_f64();
                    let told = format!("expected a close with {wanted}, got none for {seconds} s");
                    self.differ(line, &told)?;
                }
            }
            return Ok(());
        }
    }

    /// Closes, and says what came of it.
    async fn finish(mut self) -> Result<Report, Failure> {
        if let Some((code, line)) = self.close {
            self.expect_end(code, line).await?;
        }
        while let Some(message) = self.inbox.take() {
            self.unrecorded(&message)?;
        }
        // It may be closed already, or closing.
        drop(self.sender.close(CloseCode::NORMAL, "").await);
        self.inbox.end().await;
        Ok(self.report)
    }

    fn unrecorded(&mut self, message: &Message) -> Result<(), Failure> {
        self.report.differences += 1;
        line(format_args!("not recorded: {}", shown(message)))
    }

    fn differ(&mut self, number: u64, how: &str) -> Result<(), Failure> {
        self.report.differences += 1;
        line(format_args!("line {number}: {how}"))
    }
}

fn is_same(wanted: &What, message: &Message) -> bool {
    match (wanted, message) {
        (What::Text(text), Message::Text(other)) => text == other.as_str(),
        (What::Binary(data), Message::Binary(other)) => **data == **other,
        _ => false,
    }
}

fn shown(message: &Message) -> String {
    match message {
        Message::Text(text) => shown_text(text.as_str()),
        Message::Binary(data) => shown_data(data),
    }
}

fn shown_what(what: &What) -> String {
    match what {
        What::Text(text) => shown_text(text),
        What::Binary(data) | What::Ping(data) | What::Pong(data) => shown_data(data),
        What::Close { .. } => "a close".to_owned(),
    }
}

fn shown_text(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN_MAX).collect();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("text {:?}{dots}", printable(&cut))
}

fn shown_data(data: &[u8]) -> String {
    let cut = data.get(..SHOWN_MAX).unwrap_or(data);
    let dots = if cut.len() < data.len() { "..." } else { "" };
    format!("{} bytes {}{dots}", data.len(), crate::command::hex(cut))
}

/// Characters or bytes that are shown of a message.
const SHOWN_MAX: usize = 100;
